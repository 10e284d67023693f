#include "node/config/retention_setting.hpp"

#include "core/duration.hpp"
#include "graph_json/fields.hpp"

namespace troupe::node {

namespace {

using graph_json::field;
using graph_json::json_place;
using graph_json::member;
using graph_json::object_of;
using graph_json::problem_list;

constexpr std::int64_t bytes_max = std::int64_t{1} << 53;

void read_bytes(std::uint64_t& to, value& from, const json_place& at, problem_list& out) {
  auto range = "0 to " + std::to_string(bytes_max);
  if (auto x = from.integer(); x && *x >= 0 && *x <= bytes_max)
    to = static_cast<std::uint64_t>(*x);
  else if (from.is_number())
    out.add("out_of_range", at, "expected an integer of " + range);
  else
    out.wrong_type(at, from, "an integer of " + range);
}

constexpr field<retention_limit> limit_fields[] = {
    {"age", member<graph_json::read_duration, &retention_limit::age>},
    {"bytes", member<read_bytes, &retention_limit::bytes>},
};

constexpr field<retention_policy> policy_fields[] = {
    {"completed", member<object_of<limit_fields>, &retention_policy::completed>},
    {"failed", member<object_of<limit_fields>, &retention_policy::failed>},
    {"cancelled", member<object_of<limit_fields>, &retention_policy::cancelled>},
    {"stopped", member<object_of<limit_fields>, &retention_policy::stopped>},
};

value show(const retention_limit& x) {
  return value::object{{"age", core::to_text(x.age)},
                       {"bytes", static_cast<std::int64_t>(x.bytes)}};
}

} // namespace

void read_queue_retention(const setting&, node_config& to, value& from, const json_place& at,
                          problem_list& out) {
  auto queues = from.members();
  if (!queues)
    return out.wrong_type(at, from, "an object of queues and their rules");
  to.runtime.queue_retention.clear();
  for (auto& [queue, x] : *queues) {
    value name{queue};
    std::string checked;
    graph_json::read_name(checked, name, at / queue, out);
    auto policy = to.runtime.retention;
    graph_json::read_object(std::span{policy_fields}, policy, x, at / queue, out);
    to.runtime.queue_retention[queue] = policy;
  }
}

value show_queue_retention(const node_config& from) {
  value::object all;
  for (auto& [queue, x] : from.runtime.queue_retention)
    all[queue] = value::object{{"completed", show(x.completed)},
                               {"failed", show(x.failed)},
                               {"cancelled", show(x.cancelled)},
                               {"stopped", show(x.stopped)}};
  return all;
}

} // namespace troupe::node
