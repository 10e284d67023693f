#pragma once

#include "troupe/event.hpp"
#include "troupe/job_spec.hpp"

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::node {

/// A vertex that has failed for good, for people.
struct vertex_failure {
  std::string vertex;
  problem why;

  bool operator==(const vertex_failure&) const = default;
};

inline constexpr std::size_t failures_shown_max = 20; ///< Further ones are counted.

/// Where a job stands, as its events tell it: every event from the first on, in order.
class progress {
public:
  void apply(const event& x);

  job_state state() const noexcept { return state_; }
  bool ended() const noexcept { return ended_; }
  std::uint64_t newest() const noexcept { return newest_; }
  /// From when the job began, or was made if it never did, to its newest event: once it has ended,
  /// how long it took.
  std::chrono::milliseconds span() const noexcept { return newest_at_ - begun_at_; }
  /// Vertices of the graph; 0 before the job has begun.
  std::uint32_t total() const noexcept { return total_; }
  std::uint32_t succeeded() const noexcept { return succeeded_; }
  std::uint32_t reused() const noexcept { return reused_; } ///< Part of `succeeded`.
  std::uint32_t failed() const noexcept { return failed_; }
  std::uint32_t skipped() const noexcept { return skipped_; }
  /// With those that had not begun when the job failed, was cancelled or stopped: no event tells of
  /// them.
  std::uint32_t cancelled() const noexcept { return cancelled_; }
  std::uint32_t done() const noexcept { return succeeded_ + failed_ + skipped_ + cancelled_; }
  std::size_t running() const noexcept { return by_start_.size(); }
  /// Names of at most `count` running vertices, those that started first.
  std::vector<std::string> oldest_running(std::size_t count) const;
  /// The first `failures_shown_max` failures.
  const std::vector<vertex_failure>& failures() const noexcept { return failures_; }

private:
  void move(job_state to, time_point at);
  void end_job();
  void start(const std::string& vertex);
  void end(const std::string& vertex, const value& data);

  job_state state_ = job_state::pending;
  bool ended_ = false;
  std::uint64_t newest_ = 0;
  bool has_begun_ = false;
  time_point begun_at_{}, newest_at_{};
  std::uint32_t total_ = 0, succeeded_ = 0, reused_ = 0, failed_ = 0, skipped_ = 0, cancelled_ = 0;
  std::uint64_t starts_ = 0;
  std::unordered_map<std::string, std::uint64_t> started_; ///< Running vertices.
  std::map<std::uint64_t, std::string> by_start_;          ///< The same, the oldest first.
  std::vector<vertex_failure> failures_;
};

/// The string that is member `key` of an object, or nothing.
std::string_view text_of(const value& x, std::string_view key);

/// The integer that is member `key` of an object, or 0.
std::int64_t number_of(const value& x, std::string_view key);

/// The problem object of an event, as a problem.
problem problem_of(const value& x);

} // namespace troupe::node
