#pragma once

#include "actors/environment.hpp"

namespace troupe::actors {

/// The events of one job in order, each once, for one reader. One thread at a time.
class event_feed {
public:
  /// Reads from number `from` on. `first_live` is what `messages::watch_job` has replied.
  event_feed(std::shared_ptr<shard_context> shard, job_id job, std::uint64_t from,
             std::uint64_t first_live);
  ~event_feed();
  event_feed(const event_feed&) = delete;
  event_feed& operator=(const event_feed&) = delete;

  /// The next events, at least one and at most `limit`; waits for them up to `until`. Empty once
  /// `end` has been read, or has a smaller number than those wanted. Errors: `timed_out`,
  /// `not_ready`, `journal_failed`, and those of `view::replay`.
  result<std::vector<event>> next(std::chrono::steady_clock::time_point until,
                                  std::size_t limit = limits::events_read_max);

  /// Calls `told` once, as soon as `next` may have something; see `event_ring::await`.
  void when_more(std::function<void()> told);

  bool ended() const noexcept { return ended_; }

private:
  void take(event&& x, std::vector<event>& to);
  bool in_view() const noexcept { return first_live_ == 0 || next_ < first_live_; }
  status read_view(std::vector<event>& to, std::size_t limit);
  bool read_ring(std::vector<event>& to, std::size_t limit,
                 std::chrono::steady_clock::time_point until);
  bool has_ended() const;
  std::vector<event> read_spare(std::size_t limit);

  std::shared_ptr<shard_context> shard_;
  job_id job_;
  std::uint64_t next_;       ///< The number to read next.
  std::uint64_t first_live_; ///< From this number on events are in the ring; 0: none is.
  bool watching_;
  bool ended_ = false;
  storage::view::replay_state replayed_;
  std::deque<event> spare_; ///< Of a record that gave more than were wanted.
};

} // namespace troupe::actors
