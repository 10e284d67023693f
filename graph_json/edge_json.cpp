#include "graph_json/edge_json.hpp"

#include "graph_json/fields.hpp"

namespace troupe::graph_json {

namespace {

void read_when(std::optional<value>& to, value& from, const json_place&, problem_list&) {
  to = std::move(from);
}

constexpr field<edge_spec> edge_fields[] = {
    {"from", member<read_name, &edge_spec::from>, true},
    {"to", member<read_name, &edge_spec::to>, true},
    {"from_port", member<read_port, &edge_spec::from_port>},
    {"to_port", member<read_port, &edge_spec::to_port>},
    {"when", member<read_when, &edge_spec::when>},
};

} // namespace

edge_spec read_edge(value&& from, const json_place& at, problem_list& out) {
  edge_spec edge;
  object_of<edge_fields>(edge, from, at, out);
  return edge;
}

value to_value(const edge_spec& edge) {
  static const edge_spec usual;
  value x = value::object{{"from", edge.from}, {"to", edge.to}};
  if (edge.from_port != usual.from_port)
    x["from_port"] = edge.from_port;
  if (edge.to_port != usual.to_port)
    x["to_port"] = edge.to_port;
  if (edge.when)
    x["when"] = *edge.when;
  return x;
}

} // namespace troupe::graph_json
