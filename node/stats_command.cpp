#include "node/stats_command.hpp"

#include "graph_json/graph_json.hpp"
#include "node/client/node_client.hpp"
#include "node/graph_file.hpp"
#include "node/store_text.hpp"
#include "node/text.hpp"

namespace troupe::node {

namespace {

std::string queues_table(const value& stats) {
  std::vector<row> rows{{"QUEUE", "STATE", "JOBS", "SIZE"}};
  auto queues = stats.find("queues");
  if (auto items = queues ? queues->items() : nullptr)
    for (auto& x : *items)
      rows.push_back({one_line(text_of(x, "queue")), one_line(text_of(x, "state")),
                      std::to_string(number_of(x, "jobs")),
                      size_text(static_cast<std::uint64_t>(number_of(x, "bytes")))});
  return rows.size() == 1 ? "no jobs\n" : table_of(rows);
}

} // namespace

int show_stats(console& to, const target_options& at, format how) {
  auto place = node_of(at);
  if (!place)
    return to.fail(place.trouble());
  client::node_client node{std::move(*place)};
  auto stats = node.stats();
  if (!stats)
    return to.fail(stats.trouble());
  if (how == format::table)
    to.out(queues_table(*stats));
  else
    show(to, *stats, how);
  return flushed(to);
}

int register_graph(console& to, const target_options& at, const std::string& file, format how) {
  auto read = read_graph_file(file);
  if (!read)
    return to.fail(read.trouble());
  if (!read->errors.empty()) {
    to.err(problem_lines(file, read->errors));
    return to.fail(invalid_graph(file, read->errors));
  }
  auto place = node_of(at);
  if (!place)
    return to.fail(place.trouble());
  client::node_client node{std::move(*place)};
  auto graph = node.add_graph(graph_json::canonical_json(read->spec));
  if (!graph)
    return to.fail(graph.trouble());
  if (how == format::table)
    to.out(std::string{text_of(*graph, "id")} + "\n");
  else
    show(to, *graph, how);
  return flushed(to);
}

} // namespace troupe::node
