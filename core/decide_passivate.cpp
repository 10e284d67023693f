#include "core/decide_passivate.hpp"

#include "troupe/limits.hpp"

#include <algorithm>

namespace troupe::core {

namespace {

/// Whether anything of the vertex happens without time alone leading to it.
bool is_busy(const vertex_detail& x) { return x.current && x.due == shard_time{}; }

bool is_timed(const vertex_detail& x, vertex_state state) {
  return x.due != shard_time{} && (x.current || state == vertex_state::backoff);
}

} // namespace

std::optional<rest> rest_of(const job& x) {
  auto paused = x.state == job_state::paused;
  if (!x.run || x.run->failing || (x.state != job_state::running && !paused))
    return {};
  if (!paused && x.run->in(vertex_state::ready) > 0)
    return {};
  rest found;
  for (auto& [v, detail] : x.run->details) {
    if (is_busy(detail))
      return {};
    if (!paused && is_timed(detail, x.run->states[v]))
      found.wake_at =
          found.wake_at == shard_time{} ? detail.due : std::min(found.wake_at, detail.due);
  }
  if (!paused && found.wake_at == shard_time{})
    return {};
  return found;
}

duration rest_min(const job& x) {
  auto vertices = x.run ? x.run->states.size() : 0;
  auto seconds = static_cast<duration::rep>(vertices / limits::passivation_vertices_per_second);
  return duration{limits::passivation_min} + std::chrono::seconds{seconds};
}

record_group decide_passivate(const job& x, shard_time now) {
  auto rest = rest_of(x);
  if (!rest || (rest->wake_at != shard_time{} && rest->wake_at - now < rest_min(x)))
    return {};
  record_group group;
  group.push_back(record_for(x, now, job_passivated{rest->wake_at}));
  return group;
}

} // namespace troupe::core
