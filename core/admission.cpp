#include "core/admission.hpp"

#include "troupe/limits.hpp"

#include <algorithm>
#include <cassert>
#include <functional>

namespace troupe::core {

void pending_queue::remove(job_id id) {
  gaps_.add(id);
  assert(gaps_.total() <= ids_.size());
  if (gaps_.total() * 2 <= ids_.size())
    return;
  std::erase_if(ids_, [this](auto x) { return gaps_.take(x); }); // From the front: oldest first.
}

std::optional<job_id> pending_queue::pop() {
  while (!ids_.empty()) {
    auto id = ids_.front();
    ids_.pop_front();
    if (!gaps_.take(id))
      return id;
  }
  return {};
}

void wake_heap::push(entry x) {
  if (gaps_.take(x))
    return; // Its old entry is wanted again.
  heap_.push_back(x);
  std::push_heap(heap_.begin(), heap_.end(), std::greater{});
}

void wake_heap::remove(const entry& x) {
  gaps_.add(x);
  assert(gaps_.total() <= heap_.size());
  if (gaps_.total() * 2 <= heap_.size())
    return;
  std::erase_if(heap_, [this](auto& y) { return gaps_.take(y); });
  gaps_.clear();
  std::make_heap(heap_.begin(), heap_.end(), std::greater{});
}

void wake_heap::pop_front() {
  std::pop_heap(heap_.begin(), heap_.end(), std::greater{});
  heap_.pop_back();
}

void wake_heap::drop_gaps() {
  while (!heap_.empty() && gaps_.take(heap_.front()))
    pop_front();
}

std::optional<wake_heap::entry> wake_heap::pop(shard_time now) {
  drop_gaps();
  if (heap_.empty() || heap_.front().at > now)
    return {};
  auto earliest = heap_.front();
  pop_front();
  return earliest;
}

std::optional<shard_time> wake_heap::next() {
  drop_gaps();
  return heap_.empty() ? std::nullopt : std::optional{heap_.front().at};
}

status space_for_jobs(const pressure& x) {
  if (x.space)
    return {};
  return error{ec::no_space, "the disk is nearly full: " + std::to_string(x.free_bytes)
                                 + " bytes are free, new jobs need "
                                 + std::to_string(x.needed_bytes)
                                 + "; free space, then repeat (accepted jobs go on)"};
}

result<duration> admission_delay(const pressure& x) {
  if (auto space = space_for_jobs(x); !space)
    return space.error();
  if (x.lag_bytes >= x.hard_bytes)
    return error{ec::overloaded, "the snapshot is " + std::to_string(x.lag_bytes)
                                     + " bytes behind the journal; repeat after a while"};
  if (x.lag_bytes <= x.soft_bytes)
    return duration{};
  auto part = static_cast<double>(x.lag_bytes - x.soft_bytes)
              / static_cast<double>(x.hard_bytes - x.soft_bytes);
  return duration{static_cast<duration::rep>(
      std::max(1.0, part * static_cast<double>(duration{limits::admission_delay_max}.count())))};
}

shard_time expiry_of(shard_time at, duration after, shard_time now) noexcept {
  if (after <= duration{})
    return at;
  return at == shard_time{} ? now + after : std::min(at, now + after);
}

} // namespace troupe::core
