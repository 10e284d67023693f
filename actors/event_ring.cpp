#include "actors/event_ring.hpp"

#include "core/payload.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {

std::uint64_t event_ring::open(job_id job, std::uint64_t next) {
  std::scoped_lock lock{mutex_};
  auto& feed = feeds_[job];
  if (feed.readers++ == 0 && feed.events.empty())
    feed.first = next;
  return feed.first;
}

void event_ring::close(job_id job) {
  decltype(feed::awaiting) forgotten; // What a callback holds may close another reader.
  std::scoped_lock lock{mutex_};
  auto found = feeds_.find(job);
  if (found == feeds_.end() || --found->second.readers > 0)
    return;
  forgotten = std::move(found->second.awaiting);
  feeds_.erase(found); // What `order_` still counts goes when its turn comes.
}

void event_ring::await(job_id job, std::uint64_t from, std::function<void()> told) {
  {
    std::scoped_lock lock{mutex_};
    auto at = feeds_.find(job);
    if (!shut_ && at != feeds_.end() && !at->second.ended && from >= at->second.next())
      return at->second.awaiting.push_back(std::move(told));
  }
  told();
}

bool event_ring::watches(job_id job) const {
  std::scoped_lock lock{mutex_};
  return feeds_.contains(job);
}

void event_ring::listen(std::function<void(job_id)> told) {
  std::scoped_lock lock{mutex_};
  told_ = std::make_shared<const std::function<void(job_id)>>(std::move(told));
}

void event_ring::push(std::vector<event> events) {
  if (events.empty())
    return;
  auto job = events.front().job;
  std::unique_lock lock{mutex_};
  for (auto& x : events) {
    auto found = feeds_.find(x.job);
    if (found == feeds_.end() || x.id < found->second.next())
      continue;
    auto size = sizeof(event) + core::encoded_size(x.data);
    order_.emplace_back(x.job, size);
    bytes_ += size;
    found->second.ended = x.type == "end";
    found->second.events.push_back(std::move(x));
  }
  while (bytes_ > bytes_max_ && order_.size() > 1)
    drop_oldest();
  pushed_.notify_all();
  auto feed = feeds_.find(job);
  auto told = feed == feeds_.end() ? nullptr : told_;
  decltype(feed->second.awaiting) awaiting;
  if (feed != feeds_.end())
    awaiting = std::exchange(feed->second.awaiting, {});
  lock.unlock();
  if (told)
    (*told)(job);
  for (auto& call : awaiting)
    call();
}

void event_ring::drop_oldest() {
  auto [job, size] = order_.front();
  order_.pop_front();
  bytes_ -= size;
  auto found = feeds_.find(job);
  if (found == feeds_.end() || found->second.events.empty())
    return;
  found->second.events.pop_front();
  ++found->second.first;
}

event_ring::found event_ring::read(job_id job, std::uint64_t from, std::size_t limit,
                                   std::chrono::steady_clock::time_point until,
                                   std::vector<event>& to, std::uint64_t& first) {
  std::unique_lock lock{mutex_};
  for (;;) {
    auto at = feeds_.find(job);
    first = at == feeds_.end() ? 0 : at->second.first;
    if (from < first || first == 0)
      return found::gone;
    auto& feed = at->second;
    for (auto i = from - feed.first; i < feed.events.size() && to.size() < limit; ++i)
      to.push_back(feed.events[i]);
    if (!to.empty())
      return found::events;
    if (feed.ended)
      return found::ended;
    if (shut_ || pushed_.wait_until(lock, until) == std::cv_status::timeout)
      return found::nothing_yet;
  }
}

void event_ring::shut() {
  decltype(feed::awaiting) awaiting;
  {
    std::scoped_lock lock{mutex_};
    shut_ = true;
    pushed_.notify_all();
    for (auto& [job, x] : feeds_)
      std::ranges::move(std::exchange(x.awaiting, {}), std::back_inserter(awaiting));
  }
  for (auto& call : awaiting)
    call();
}

} // namespace troupe::actors
