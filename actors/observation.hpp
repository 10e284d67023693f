#pragma once

#include "core/job.hpp"
#include "troupe/observer.hpp"

#include <array>
#include <memory>
#include <vector>

namespace troupe::actors {

/// What the observer of a node knows a job by.
observed_job observed(const core::job& x);

/// The vertices of one job at work, as the observer has been told of them; with this they go. Used
/// only where outputs are released.
class vertex_tally {
public:
  using counts = std::array<std::uint32_t, vertex_states>;

  vertex_tally(std::shared_ptr<observer> to, const counts& now) : to_(std::move(to)) { set(now); }
  ~vertex_tally() { set({}); }
  vertex_tally(const vertex_tally&) = delete;
  vertex_tally& operator=(const vertex_tally&) = delete;

  /// So many vertices are in each state now.
  void set(const counts& now);

private:
  std::shared_ptr<observer> to_;
  counts told_{};
};

/// How many vertices of a job at work are in each state; all 0 for any other job.
vertex_tally::counts counts_of(const core::job& x);

/// What an observer will be told of one job's records, once they are durable.
class observation {
public:
  explicit observation(observed_job job) : job_(std::move(job)) {}

  /// Takes a record that was just applied to the job.
  void note(const core::job& x, const core::record& r, const core::changes& seen);

  /// Vertices have waited so long for this.
  void waited(wait_reason why, core::duration time) { waits_[std::size_t(why)] += time; }

  /// Takes the states of the vertices, once all records are noted.
  void count(const core::job& x) { counts_ = counts_of(x); }

  /// Tells all of it, in order.
  void tell(observer& to, vertex_tally& vertices) const;

private:
  void note_end(const core::job& x, const core::vertex_outcome& end, core::shard_time at);
  void note_attempt(attempt_step step);

  observed_job job_;
  vertex_tally::counts counts_{};
  std::array<core::duration, std::size_t(last(wait_reason{})) + 1> waits_{};
  std::vector<job_step> steps_;
  std::vector<attempt_step> attempts_;
};

} // namespace troupe::actors
