#include "core/job.hpp"

namespace troupe::core {

namespace {

/// What travels over an edge: the output of its source, or the problem object of its failure.
payload carried(const job& x, const edge& e) {
  if (!e.on_error)
    return x.run->outputs[e.from];
  return payload{to_value(x.run->details.at(e.from).error)};
}

void deliver(const input_port& port, const value& x, gathered& to) {
  auto& member = to.inputs[port.name];
  if (port.takes == arity::many)
    member.items()->push_back(x);
  else
    member = x;
}

} // namespace

std::optional<problem> check_inputs(const job& x, vertex_index v) {
  auto in = x.plan->in(v);
  if (in.size() < 2)
    return {};
  auto& ports = x.plan->shape(v).ports;
  std::vector<std::uint32_t> live(ports.size());
  for (auto at : in) {
    auto& port = ports[x.plan->edges[at].to_port];
    if (port.takes == arity::one && x.run->edges[at] == edge_state::live
        && ++live[x.plan->edges[at].to_port] > 1)
      return problem{"multiple_values", "",
                     "port \"" + port.name
                         + "\" takes one value and got several; declare it as \"many\""};
  }
  return {};
}

gathered gather(const job& x, vertex_index v) {
  auto& plan = *x.plan;
  auto& ports = plan.shape(v).ports;
  gathered all{value::object{}, check_inputs(x, v), {}};
  for (auto& port : ports)
    if (port.takes == arity::many)
      all.inputs[port.name] = value::list{};
  for (auto at : plan.in(v)) {
    if (x.run->edges[at] != edge_state::live)
      continue;
    auto& e = plan.edges[at];
    auto data = carried(x, e);
    if (!data.loaded())
      all.missing.push_back(data);
    deliver(ports[e.to_port], data.get(), all);
  }
  if (!x.spec.input.loaded())
    all.missing.push_back(x.spec.input);
  all.inputs["job"] = x.spec.input.get();
  return all;
}

value whole(const payload& x) { return x.get(); }

value by_reference(const payload& x) {
  auto blob = x.blob();
  if (!blob)
    return x.get();
  return value::object{{"$blob", "sha256:" + to_string(graph_id{blob->sha256})},
                       {"bytes", static_cast<std::int64_t>(blob->bytes)},
                       {"type", "application/json"}};
}

value result_of(const job& x, value (*show)(const payload&)) {
  if (!x.run)
    return {};
  auto output = [&](vertex_index v) { return show(x.run->outputs[v]); };
  if (x.plan->result_is_single)
    return output(x.plan->result.front());
  value::object all;
  for (auto v : x.plan->result)
    if (x.run->states[v] == vertex_state::succeeded)
      all.insert_or_assign(x.plan->names[v], output(v));
  return all;
}

value to_value(const problem& x) {
  value::object all{{"code", x.code}, {"detail", x.detail}};
  if (!x.pointer.empty())
    all.emplace("pointer", x.pointer);
  return all;
}

} // namespace troupe::core
