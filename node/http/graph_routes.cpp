#include "graph_json/graph_json.hpp"
#include "node/http/api.hpp"
#include "node/http/list_query.hpp"

namespace troupe::http {

namespace {

constexpr std::size_t list_usual = 100;

value about(const graph_id& id, const std::string& name, std::size_t vertices, std::size_t edges) {
  return value::object{{"id", to_string(id)},
                       {"name", name},
                       {"vertices", static_cast<std::int64_t>(vertices)},
                       {"edges", static_cast<std::int64_t>(edges)}};
}

void add_graph(const api_ptr& in, const call_ptr& to) {
  if (has_bad_query(to, {}))
    return;
  on_pool(in, to, [in, to] {
    auto parsed = graph_json::parse_graph(to->in.body, {limits::http_graph_vertices_max});
    if (parsed.errors.size() == 1
        && (parsed.errors.front().code == "syntax" || parsed.errors.front().code == "too_deep"))
      return to->out(problem_answer(refusal::bad_json, parsed.errors.front().detail));
    if (!parsed.errors.empty())
      return to->out(
          problem_answer(error{ec::invalid_spec, "the graph is not valid"}, parsed.errors));
    auto vertices = parsed.spec.vertices.size(), edges = parsed.spec.edges.size();
    job_request asked{{}, std::move(parsed.spec), ""};
    auto graph = in->graphs.resolve(to->in.who.ns, asked);
    if (auto wrong = std::get_if<graph_trouble>(&graph))
      return to->out(graph_answer(*wrong));
    auto& known = std::get<known_graph>(graph);
    auto answer = json_answer(201, about(known.id, known.name, vertices, edges));
    answer.fields.add("Location", "/v1/graphs/" + to_string(known.id));
    to->out(std::move(answer));
  });
}

void get_graph(const api_ptr& in, const call_ptr& to) {
  if (has_bad_query(to, {}))
    return;
  on_pool(in, to, [in, to] {
    auto spec = read_graph(in->node, to->in.who.ns, to->in.arguments.graph);
    if (!spec)
      return refuse(to, spec.error());
    to->out({200, "application/json", graph_json::canonical_json(*spec) + "\n"});
  });
}

void list_graphs(const api_ptr& in, const call_ptr& to) {
  constexpr parameter known[] = {{"cursor"}, {"limit"}};
  if (has_bad_query(to, known))
    return;
  auto limit = number_in(to->in.query, "limit", list_usual, 1, limits::rows_page_max);
  if (!limit)
    return to->out(problem_answer(refusal::bad_query, limit.error().detail));
  auto after = graph_cursor_in(to->in.query);
  if (!after)
    return to->out(problem_answer(refusal::bad_query, after.error().detail));
  on_pool(in, to, [in, to, after = *after, limit = *limit] {
    auto page = in->node.graphs(after, limit, to->in.who.ns);
    if (!page)
      return refuse(to, page.error());
    value::list all;
    for (auto& x : page->graphs)
      all.push_back(about(x.id, x.name, x.vertices, x.edges));
    auto partial = page->next && all.size() < limit;
    to->out(json_answer(
        200, value::object{{"graphs", std::move(all)},
                           {"next", page->next ? value{to_string(*page->next)} : value{}},
                           {"partial", partial}}));
  });
}

} // namespace

void add_graph_routes(const api_ptr& to, std::vector<route>& all) {
  all.push_back({"GET", "/v1/graphs", bound(to, list_graphs)});
  all.push_back({"POST", "/v1/graphs", bound(to, add_graph), body_mode::json, action::submit});
  all.push_back({"GET", "/v1/graphs/{graph}", bound(to, get_graph)});
}

} // namespace troupe::http
