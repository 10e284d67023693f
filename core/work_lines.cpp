#include "core/work_lines.hpp"

namespace troupe::core {

bool work_lines::offer(const work_place& in, const work_key& what) {
  auto [at, added] = places_.try_emplace(what, place{in, next_});
  if (added)
    lines_[in].emplace(next_++, what);
  return added;
}

std::optional<work_key> work_lines::take(const work_place& from) {
  auto found = lines_.find(from);
  if (found == lines_.end())
    return {};
  auto first = found->second.begin()->second;
  auto at = places_.find(first);
  leave(at->second);
  places_.erase(at);
  return first;
}

void work_lines::withdraw(job_id job) {
  auto at = places_.lower_bound({job, 0});
  while (at != places_.end() && at->first.job == job) {
    leave(at->second);
    at = places_.erase(at);
  }
}

bool work_lines::waits(job_id job) const {
  auto at = places_.lower_bound({job, 0});
  return at != places_.end() && at->first.job == job;
}

std::size_t work_lines::size(const work_place& in) const {
  auto found = lines_.find(in);
  return found == lines_.end() ? 0 : found->second.size();
}

void work_lines::leave(const place& from) {
  auto found = lines_.find(from.line);
  found->second.erase(from.number);
  if (found->second.empty())
    lines_.erase(found);
}

} // namespace troupe::core
