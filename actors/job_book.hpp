#pragma once

#include "actors/environment.hpp"
#include "actors/observation.hpp"
#include "core/decide.hpp"
#include "core/output_release.hpp"
#include "troupe/job_spec.hpp"

namespace troupe::actors {

/// What is known of a job, for clients. Its result must be loaded, or is left out.
job_info info_of(const core::job& x, bool with_result = true);

/// The same from a row alone: no vertices.
job_info info_of(const storage::job_row& x);

/// One job with its way to the journal: takes decisions, applies them, and appends what came of
/// one message as one group. Whoever has the book owns the job.
class job_book {
public:
  /// `at`: where the newest record of the job is; zero: it is durable.
  job_book(std::shared_ptr<shard_context> shard, core::job x, core::position at = 0);

  const core::job& job() const noexcept { return job_; }
  core::shard_time now() const { return shard_->log->now(); }
  /// Where the newest record of the job is, once it was flushed.
  core::position at() const noexcept { return at_; }
  /// How many records were taken here.
  std::uint64_t taken() const noexcept { return taken_; }

  /// What was taken and not flushed yet: one group, as the journal has it.
  const core::bytes& group() const noexcept { return group_; }
  /// Whether the group would be so large with `more` bytes that it should be flushed before it
  /// takes more.
  bool is_full(std::size_t more = 0) const noexcept;

  /// Applies a decision; it is durable after `flush`.
  void take(core::record_group decided);

  /// Vertices that have become ready since the last call.
  std::vector<core::vertex_index> take_ready() { return std::exchange(ready_, {}); }

  /// Appends what was taken; then, and when it is durable, events leave, who waits for the end is
  /// told, and `out` is called. Without anything taken, `out` waits for what the job reflects.
  void flush(output out = {});

  /// Vertices have waited so long for this; told with what is taken next.
  void waited(wait_reason why, core::duration time);

  /// A reader wants events from now on. Returns the number of the first that will be in the ring.
  std::uint64_t watch();

  /// The first record of a job that is added right now; before it, rows that go with it.
  void add(const core::record& added);

private:
  void put(const core::record& r, const core::changes& seen);
  observation& noted();

  std::shared_ptr<shard_context> shard_;
  core::job job_;
  core::output_release outputs_;
  core::position at_; ///< The newest record of the job.
  std::uint64_t taken_ = 0;
  core::bytes group_;
  std::vector<event> events_;
  std::vector<core::vertex_index> ready_;
  std::shared_ptr<observation> seen_;   ///< In this group; null if nobody observes.
  std::shared_ptr<vertex_tally> tally_; ///< Null if nobody observes.
  bool ended_ = false;                  ///< In this group.
};

} // namespace troupe::actors
