#include "graph_json/drawing.hpp"

#include "core/names.hpp"
#include "graph_json/value_json.hpp"

namespace troupe::graph_json {

namespace {

std::string join_text(const join_spec& join) {
  switch (join.policy) {
  case join_policy::all: return {};
  case join_policy::any: return "join: any";
  case join_policy::n: return "join: " + std::to_string(join.count);
  case join_policy::quorum: return "join: quorum";
  case join_policy::ignore_failed: return "join: ignore_failed";
  }
  return {};
}

std::string ports_text(const edge_spec& edge) {
  const edge_spec usual;
  if (edge.to_port != usual.to_port)
    return edge.from_port + " → " + edge.to_port;
  return edge.from_port == usual.from_port ? "" : edge.from_port;
}

} // namespace

std::vector<std::string> vertex_lines(const vertex_spec& vertex) {
  std::vector<std::string> lines{vertex.id, vertex.kind};
  if (auto join = join_text(vertex.join); !join.empty())
    lines.push_back(join);
  return lines;
}

std::vector<std::string> edge_lines(const edge_spec& edge) {
  std::vector<std::string> lines;
  if (auto ports = ports_text(edge); !ports.empty())
    lines.push_back(ports);
  if (edge.when)
    lines.push_back("when " + core::quoted(canonical(*edge.when)));
  return lines;
}

} // namespace troupe::graph_json
