#include "graph_json/vertex_json.hpp"

#include "core/duration.hpp"
#include "graph_json/fields.hpp"
#include "graph_json/value_json.hpp"
#include "troupe/limits.hpp"

#include <cmath>

namespace troupe::graph_json {

namespace {

constexpr word<arity> arities[] = {{"one", arity::one}, {"many", arity::many}};

constexpr word<join_policy> joins[] = {{"all", join_policy::all},
                                       {"any", join_policy::any},
                                       {"quorum", join_policy::quorum},
                                       {"ignore_failed", join_policy::ignore_failed}};

constexpr word<on_error_policy> error_policies[] = {{"fail_job", on_error_policy::fail_job},
                                                    {"continue", on_error_policy::continue_on},
                                                    {"route", on_error_policy::route}};

constexpr word<bool> jitters[] = {{"full", true}, {"none", false}};

enum class trouble : std::uint8_t { error, timeout };
constexpr word<trouble> troubles[] = {{"error", trouble::error}, {"timeout", trouble::timeout}};

void read_config(value& to, value& from, const json_place& at, problem_list& out) {
  if (from.members())
    to = std::move(from);
  else
    out.wrong_type(at, from, "an object");
}

void read_inputs(std::map<std::string, arity>& to, value& from, const json_place& at,
                 problem_list& out) {
  auto ports = from.members();
  if (!ports)
    return out.wrong_type(at, from, "an object of ports, each `one` or `many`");
  to.clear();
  for (auto& [port, x] : *ports) {
    auto here = at / port;
    check_port(port, here, out);
    one_of<arities>(to[port], x, here, out);
  }
}

void read_join_count(std::uint32_t& to, value& from, const json_place& at, problem_list& out) {
  read_count(to, from, 1, limits::graph_edges_max, at, out);
}

constexpr field<join_spec> join_fields[] = {
    {"n", member<read_join_count, &join_spec::count>, true}};

void read_join(join_spec& to, value& from, const json_place& at, problem_list& out) {
  if (from.string())
    return one_of<joins>(to.policy, from, at, out);
  if (!from.members())
    return out.wrong_type(at, from, "a string or `{\"n\": k}`");
  to.policy = join_policy::n;
  object_of<join_fields>(to, from, at, out);
}

void read_factor(double& to, value& from, const json_place& at, problem_list& out) {
  if (!from.is_number())
    out.wrong_type(at, from, "a number");
  else if (from.as_double() < 1)
    out.add("out_of_range", at, "expected a number of at least 1");
  else
    to = from.as_double();
}

void read_retry_on(retry_spec& to, value& from, const json_place& at, problem_list& out) {
  auto items = from.items();
  if (!items)
    return out.wrong_type(at, from, "a list of `error` and `timeout`");
  if (items->size() > std::size(troubles))
    return out.add("too_many", at, "expected a list of at most 2");
  to.on_error = to.on_timeout = false;
  for (std::size_t i = 0; i < items->size(); ++i) {
    auto here = at / i;
    auto& item = (*items)[i];
    auto what = trouble::error;
    one_of<troubles>(what, item, here, out);
    if (std::count(items->begin(), items->end(), item) > 1)
      out.add("duplicate_item", here, "it stands in this list more than once");
    (what == trouble::error ? to.on_error : to.on_timeout) = true;
  }
}

void read_attempts(std::uint32_t& to, value& from, const json_place& at, problem_list& out) {
  read_count(to, from, 1, limits::attempts_max, at, out);
}

constexpr field<retry_spec> retry_fields[] = {
    {"max_attempts", member<read_attempts, &retry_spec::max_attempts>},
    {"base", member<read_duration, &retry_spec::base>},
    {"factor", member<read_factor, &retry_spec::factor>},
    {"cap", member<read_duration, &retry_spec::cap>},
    {"jitter", member<one_of<jitters>, &retry_spec::jitter>},
    {"on", read_retry_on},
};

constexpr field<timeouts_spec> timeouts_fields[] = {
    {"soft", member<read_duration, &timeouts_spec::soft>},
    {"hard", member<read_duration, &timeouts_spec::hard>},
};

void read_pure(std::optional<bool>& to, value& from, const json_place& at, problem_list& out) {
  if (auto x = from.boolean())
    to = *x;
  else
    out.wrong_type(at, from, "a boolean");
}

constexpr field<vertex_spec> vertex_fields[] = {
    {"id", member<read_name, &vertex_spec::id>, true},
    {"kind", member<read_name, &vertex_spec::kind>, true},
    {"config", member<read_config, &vertex_spec::config>},
    {"inputs", member<read_inputs, &vertex_spec::inputs>},
    {"join", member<read_join, &vertex_spec::join>},
    {"on_error", member<one_of<error_policies>, &vertex_spec::on_error>},
    {"retry", member<object_of<retry_fields>, &vertex_spec::retry>},
    {"timeouts", member<object_of<timeouts_fields>, &vertex_spec::timeouts>},
    {"pure", member<read_pure, &vertex_spec::pure>},
};

value to_value(const std::map<std::string, arity>& inputs) {
  value::object ports;
  for (auto& [port, takes] : inputs)
    ports.emplace(port, word_of(std::span{arities}, takes));
  return ports;
}

value to_value(const join_spec& join) {
  if (join.policy == join_policy::n)
    return value::object{{"n", join.count}};
  return word_of(std::span{joins}, join.policy);
}

value to_value(const retry_spec& retry) {
  const retry_spec usual;
  value x = value::object{};
  if (retry.max_attempts != usual.max_attempts)
    x["max_attempts"] = retry.max_attempts;
  if (retry.base != usual.base)
    x["base"] = core::to_text(retry.base);
  if (retry.factor != usual.factor)
    x["factor"] = normal(retry.factor);
  if (retry.cap != usual.cap)
    x["cap"] = core::to_text(retry.cap);
  if (retry.jitter != usual.jitter)
    x["jitter"] = word_of(std::span{jitters}, retry.jitter);
  if (retry.on_error && retry.on_timeout)
    return x;
  value::list on;
  if (retry.on_error)
    on.emplace_back("error");
  if (retry.on_timeout)
    on.emplace_back("timeout");
  x["on"] = std::move(on);
  return x;
}

value to_value(const timeouts_spec& timeouts) {
  value x = value::object{};
  if (timeouts.soft.count() != 0)
    x["soft"] = core::to_text(timeouts.soft);
  if (timeouts.hard.count() != 0)
    x["hard"] = core::to_text(timeouts.hard);
  return x;
}

} // namespace

vertex_spec read_vertex(value&& from, const json_place& at, problem_list& out) {
  vertex_spec vertex;
  object_of<vertex_fields>(vertex, from, at, out);
  return vertex;
}

value to_value(const vertex_spec& vertex) {
  static const vertex_spec usual;
  value x = value::object{{"id", vertex.id}, {"kind", vertex.kind}};
  if (vertex.config != usual.config)
    x["config"] = vertex.config;
  if (vertex.inputs != usual.inputs)
    x["inputs"] = to_value(vertex.inputs);
  if (vertex.join != usual.join)
    x["join"] = to_value(vertex.join);
  if (vertex.on_error != usual.on_error)
    x["on_error"] = word_of(std::span{error_policies}, vertex.on_error);
  if (vertex.retry != usual.retry)
    x["retry"] = to_value(vertex.retry);
  if (vertex.timeouts != usual.timeouts)
    x["timeouts"] = to_value(vertex.timeouts);
  if (vertex.pure)
    x["pure"] = *vertex.pure;
  return x;
}

} // namespace troupe::graph_json
