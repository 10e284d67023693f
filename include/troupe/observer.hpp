#pragma once

#include "troupe/error.hpp"
#include "troupe/export.hpp"
#include "troupe/ids.hpp"
#include "troupe/states.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

/// Which job an observer is told of.
struct observed_job {
  job_id id{};
  namespace_id ns{};
  std::string queue{};
  std::string graph{}; ///< Its graph's name; empty: it has none.
};

/// One step of a job's life.
struct job_step {
  std::optional<job_state> from{}; ///< Nothing: it was accepted.
  job_state to{};
  /// From its acceptance to its first start; set in that step.
  std::optional<std::chrono::milliseconds> waited{};
  /// From its first start to its end; set in the last step of a job that had begun.
  std::optional<std::chrono::milliseconds> ran{};
  std::string error{}; ///< The code of its problem, if it has failed.
};

/// How an attempt ended.
enum class attempt_fate : std::uint8_t {
  succeeded,
  failed,
  timed_out,
  cancelled,
  lost, ///< With the node or the actor that ran it; it runs again.
};

constexpr attempt_fate last(attempt_fate) noexcept { return attempt_fate::lost; }
TROUPE_EXPORT const char* to_string(attempt_fate x) noexcept;

/// Attempts of one job that ended alike.
struct attempt_step {
  std::string kind{}; ///< Of their vertices: `exec`, `jq`, …
  attempt_fate fate{};
  std::string error{}; ///< The code of their problem, if they failed.
  std::chrono::milliseconds took{};
  std::uint32_t count = 1;
  std::string task{}; ///< With the kind `worker`: what its vertices ask of a worker.
};

/// One shard's records that became durable together.
struct batch_step {
  std::size_t records = 0, bytes = 0;
  std::chrono::nanoseconds took{}; ///< From the request to the journal to its answer.
};

/// What has no job or numbers of its own.
enum class occurrence : std::uint8_t {
  job_restarted,    ///< A job's actor failed and starts again.
  job_escalated,    ///< It failed too often: its job fails.
  shard_restarted,  ///< A shard's actor failed and starts again.
  shard_escalated,  ///< It failed too often: the runtime stops.
  stale_completion, ///< A result came with a token that is not current; it was refused.
  lease_expired,    ///< A worker did not extend its lease in time; the vertex is for another.
};

constexpr occurrence last(occurrence) noexcept { return occurrence::lease_expired; }

/// By how much the number of vertices in each state has changed, by `vertex_state`.
using vertex_changes = std::array<std::int64_t, vertex_states>;

/// Why a vertex waited that could have started.
enum class wait_reason : std::uint8_t {
  max_parallel, ///< Its job ran as many as it may.
  worker,       ///< No worker had fetched it.
  back_off,     ///< An attempt failed, and the next one is put off; told when that is decided.
};

constexpr wait_reason last(wait_reason) noexcept { return wait_reason::back_off; }
TROUPE_EXPORT const char* to_string(wait_reason x) noexcept;

/// Is told what a runtime does, for metrics and logs: what is told of jobs is durable. Members are
/// called on any thread, several at once; they must neither block nor throw, nor call the runtime.
/// Each does nothing unless it is overridden.
class TROUPE_EXPORT observer {
public:
  virtual ~observer() = default;

  /// A job took a step; in the order of its steps.
  virtual void job_stepped(const observed_job&, const job_step&) {}
  /// A job that has not ended was found when the runtime was opened.
  virtual void job_found(const observed_job&, job_state) {}
  virtual void attempts_ended(const observed_job&, const attempt_step&) {}
  /// A request for a job was refused because of what the runtime has too much or too little of.
  virtual void job_refused(const std::string& queue, ec why) {
    static_cast<void>(queue), static_cast<void>(why);
  }
  /// Vertices of jobs at work changed their states: the sum of all changes is how many there are. A
  /// job is at work from its start to its end, but not while it rests: paused, or waiting for time
  /// alone.
  virtual void vertices_changed(const vertex_changes&) {}
  /// Vertices of a job have waited so long for this, all together.
  virtual void vertices_waited(const observed_job&, wait_reason, std::chrono::milliseconds) {}
  virtual void batch_written(const batch_step&) {}
  virtual void happened(occurrence) {}
};

} // namespace troupe
