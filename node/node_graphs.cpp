#include "node/node_graphs.hpp"

#include "graph_json/graph_json.hpp"
#include "node/client/node_client.hpp"
#include "node/graph_file.hpp"
#include "node/job_commands.hpp"
#include "node/store_text.hpp"
#include "node/text.hpp"

namespace troupe::node {

namespace {

std::string graphs_table(const value::list& graphs) {
  std::vector<row> rows{{"ID", "NAME", "VERTICES", "EDGES"}};
  for (auto& x : graphs)
    rows.push_back({one_line(text_of(x, "id")), one_line(text_of(x, "name")),
                    std::to_string(number_of(x, "vertices")),
                    std::to_string(number_of(x, "edges"))});
  return rows.size() == 1 ? "no graphs\n" : table_of(rows);
}

} // namespace

int register_graph(console& to, const target_options& at, const std::string& file, format how) {
  auto spec = valid_graph(to, file, {}, {});
  if (!spec)
    return to.fail(spec.trouble());
  auto place = node_of(at);
  if (!place)
    return to.fail(place.trouble());
  client::node_client node{std::move(*place)};
  auto graph = node.add_graph(graph_json::canonical_json(*spec));
  if (!graph) {
    auto wrong = graph.trouble();
    for (auto& x : wrong.found)
      x.pointer = file + ": " + x.pointer;
    return to.fail(wrong);
  }
  if (how == format::table)
    to.out(std::string{text_of(*graph, "id")} + "\n");
  else
    show(to, *graph, how);
  return flushed(to, "it is registered; `troupe graphs list` shows it");
}

int list_graphs(console& to, const target_options& at, std::size_t limit, format how) {
  auto place = node_of(at);
  if (!place)
    return to.fail(place.trouble());
  client::node_client node{std::move(*place)};
  value::list all;
  std::string cursor;
  do {
    auto page = node.graphs(cursor, limit - all.size() + 1);
    if (!page)
      return to.fail(page.trouble());
    for (auto& x : page->graphs)
      all.push_back(std::move(x));
    cursor = page->next;
  } while (!cursor.empty() && all.size() <= limit);
  auto is_cut = all.size() > limit;
  if (is_cut)
    all.resize(limit);
  if (how == format::table)
    to.out(graphs_table(all));
  else if (how == format::json)
    to.out_json(value{std::move(all)});
  else
    for (auto& x : all)
      to.out_line(x);
  if (is_cut)
    tell_more(to, "graphs");
  return flushed(to);
}

} // namespace troupe::node
