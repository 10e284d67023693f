#pragma once

#include "troupe/event.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace troupe::actors {

/// The durable events of watched jobs, rendered once for all readers. Bounded: beyond its budget
/// the oldest go, and a reader that still needs them finds them in the view. Thread-safe.
class event_ring {
public:
  explicit event_ring(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// A reader comes: events of the job from `next` on will be pushed. Returns the first number
  /// that is or will be here.
  std::uint64_t open(job_id job, std::uint64_t next);
  /// A reader goes.
  void close(job_id job);

  bool watches(job_id job) const;

  /// From now on `told` is called after events of a watched job have come, on the thread that
  /// pushed them; it must not block.
  void listen(std::function<void(job_id)> told);

  /// Calls `told` once, as soon as `read` from number `from` on would not wait: at once, or on the
  /// thread that pushes or shuts; it must not block. It is forgotten when the last reader goes.
  void await(job_id job, std::uint64_t from, std::function<void()> told);

  /// Adds events of one job, in the order of their numbers.
  void push(std::vector<event> events);

  enum class found { events, nothing_yet, gone, ended };

  /// Copies at most `limit` events of the job from number `from` on; waits for the first one up
  /// to `until`. `gone`: they were here and are only in the view now; `first` is here. `ended`:
  /// the job's last event has a smaller number.
  found read(job_id job, std::uint64_t from, std::size_t limit,
             std::chrono::steady_clock::time_point until, std::vector<event>& to,
             std::uint64_t& first);

  /// Wakes every reader for good: nothing more comes.
  void shut();

private:
  struct feed {
    std::uint64_t first = 0; ///< The number of the oldest event here, or of the next to come.
    std::deque<event> events;
    std::size_t readers = 0;
    bool ended = false; ///< The job's last event has come.
    std::vector<std::function<void()>> awaiting;

    std::uint64_t next() const noexcept { return first + events.size(); }
  };

  void drop_oldest();

  std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable pushed_;
  std::map<job_id, feed> feeds_;
  std::deque<std::pair<job_id, std::size_t>> order_; ///< Of arrival, with estimated bytes.
  std::size_t bytes_ = 0;
  bool shut_ = false;
  std::shared_ptr<const std::function<void(job_id)>> told_; ///< May be null.
};

} // namespace troupe::actors
