#pragma once

#include "core/types.hpp"
#include "troupe/error.hpp"

#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace troupe::core {

/// Entries that are still in a queue though nobody wants them any more; how often each.
template <class Key>
class gap_counts {
public:
  void add(const Key& key) {
    ++counts_[key];
    ++total_;
  }
  /// Takes one gap of this key; false if there is none.
  bool take(const Key& key) {
    auto found = counts_.find(key);
    if (found == counts_.end())
      return false;
    if (--found->second == 0)
      counts_.erase(found);
    --total_;
    return true;
  }
  std::size_t total() const noexcept { return total_; }
  void clear() { counts_.clear(), total_ = 0; }

private:
  std::map<Key, std::uint32_t> counts_;
  std::size_t total_ = 0;
};

/// The ids of pending jobs, first come, first served: 16 bytes each. A job is in it as often as it
/// waits. What is removed leaves a gap; at most half of it are gaps.
class pending_queue {
public:
  void push(job_id id) { ids_.push_back(id); }

  /// The job waits no more. It must be in the queue.
  void remove(job_id id);

  /// Takes the job that waits longest.
  std::optional<job_id> pop();

  std::size_t size() const noexcept { return ids_.size() - gaps_.total(); }
  bool empty() const noexcept { return size() == 0; }

private:
  std::deque<job_id> ids_;
  gap_counts<job_id> gaps_;
};

/// The next due times of passive jobs, earliest first: 24 bytes each. As in `pending_queue`, what
/// is removed leaves a gap.
class wake_heap {
public:
  struct entry {
    shard_time at{};
    job_id id;
    auto operator<=>(const entry&) const = default;
  };

  void push(entry x);

  /// The job wakes by itself no more. It must be in the heap.
  void remove(const entry& x);

  /// Takes the earliest entry that is due by `now`.
  std::optional<entry> pop(shard_time now);

  /// When the earliest entry is due.
  std::optional<shard_time> next();

  std::size_t size() const noexcept { return heap_.size() - gaps_.total(); }

private:
  void drop_gaps();
  void pop_front();

  std::vector<entry> heap_;
  gap_counts<entry> gaps_;
};

/// What new jobs are measured by, beside the queue: how far the store is behind, and its space.
struct pressure {
  std::uint64_t lag_bytes = 0; ///< Of the snapshot behind the journal, and of blobs to write.
  std::uint64_t soft_bytes = 1 << 30; ///< Above: new jobs are slowed.
  std::uint64_t hard_bytes = 1 << 30; ///< From here on: refused.
  bool space = true;                  ///< The disk has room for new jobs. If not:
  std::uint64_t free_bytes = 0;       ///< what is free,
  std::uint64_t needed_bytes = 0;     ///< and what has to be.
};

/// No error while the disk has room for new jobs; else `no_space`, with the numbers.
status space_for_jobs(const pressure& x);

/// How long a new job is kept waiting: nothing up to the soft limit, then the longer the nearer the
/// hard one, up to `limits::admission_delay_max`. Errors: `overloaded` from the hard limit on,
/// and those of `space_for_jobs`.
result<duration> admission_delay(const pressure& x);

/// When a job that is made `now` expires: at `at`, or `after` has gone by, whichever is earlier.
/// Zero says never, in the arguments and in the answer.
shard_time expiry_of(shard_time at, duration after, shard_time now) noexcept;

/// Whether a job that has not begun is too late.
constexpr bool has_expired(shard_time expires_at, shard_time now) noexcept {
  return expires_at != shard_time{} && expires_at <= now;
}

/// Whether a refusal is for want of room: repeat later. Metrics count these.
constexpr bool is_for_want_of_room(ec x) noexcept {
  return x == ec::overloaded || x == ec::no_space;
}

} // namespace troupe::core
