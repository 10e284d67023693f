#pragma once

#include "actors/end_waiters.hpp"
#include "actors/event_ring.hpp"
#include "actors/graph_store.hpp"
#include "actors/kinds/attempt_runner.hpp"
#include "actors/shard_log.hpp"
#include "core/admission.hpp"
#include "core/kind_catalog.hpp"
#include "core/payload.hpp"
#include "core/supervision.hpp"
#include "troupe/job_spec.hpp"
#include "troupe/limits.hpp"
#include "troupe/observer.hpp"

#include <atomic>
#include <caf/actor.hpp>

namespace troupe::actors {

/// What may be chosen for a node's actors.
struct actor_settings {
  std::size_t running_jobs_max = limits::running_jobs_max;
  std::size_t ended_jobs_live_max = limits::ended_jobs_live_max;
  core::duration cleanup_grace = limits::cleanup_grace;
  core::duration cancel_grace = limits::cancel_grace;
  core::restart_policy job_restarts;
  bool hold_recovered = false;
  core::duration retention_interval = limits::retention_interval; ///< From one search to the next.
  storage::retention_rules retention; ///< Unset: nothing is deleted by itself.
};

/// Numbers that a node counts; they move when what they count is durable, or was refused.
struct counters {
  std::atomic<std::uint64_t> stale_completions{0};
  std::atomic<std::uint64_t> job_restarts{0};
  std::atomic<std::uint64_t> job_escalations{0};
};

/// What the actors of a node share and cannot make themselves; simulated in tests. Everything in
/// it is thread-safe.
struct environment {
  using blob_put = std::function<void(result<core::blob_ref>)>;
  using runner_map = std::map<std::string, std::shared_ptr<attempt_runner>, std::less<>>;

  core::kind_catalog kinds;
  std::shared_ptr<graph_store> graphs;
  /// Runs the attempts of a kind that is neither inline nor a timer.
  runner_map runners;
  /// Runs a pure function in place. The report is final.
  std::function<attempt_report(const attempt&)> call_inline;
  /// Whether the function of this name was registered as pure.
  std::function<bool(const std::string&)> is_pure_function;
  /// Makes an encoded value durable, then calls back, on any thread.
  std::function<void(namespace_id, core::bytes, blob_put)> put_blob;
  std::function<result<core::bytes>(namespace_id, const core::blob_ref&)> get_blob;
  /// Has values read that may be large, beside the actors. False: too many wait. Unset: in place.
  std::function<bool(std::function<void()>)> read_beside;
  /// Encoded values that wait for `put_blob`, in bytes. Unset: none ever do.
  std::function<std::size_t()> blob_bytes_waiting;
  /// How far the store is behind. Cheap; unset: never.
  std::function<core::pressure()> pressure;
  /// A source of chance for one actor.
  std::function<core::random_bits()> make_random;
  actor_settings settings;
  counters counted;
  std::vector<caf::actor> vertex_actors; ///< Take turns.
  std::atomic<std::size_t> next_vertex_actor{0};
  caf::actor work_board; ///< Where vertices wait for workers. Null: they wait for ever.
  /// Told of what only a defect explains, for people. May be unset.
  std::function<void(const std::string&)> report;
  /// Told what is durable. May be null.
  std::shared_ptr<troupe::observer> observer;

  void happened(occurrence x) const {
    if (observer)
      observer->happened(x);
  }

  /// A result came with a token that is not current.
  void refused_stale() {
    ++counted.stale_completions;
    happened(occurrence::stale_completion);
  }

  /// A request for jobs is refused: the observer is told if it is for want of room. Returns `why`.
  error refused(const std::string& queue, error why) const {
    if (observer && core::is_for_want_of_room(why.code))
      observer->job_refused(queue, why.code);
    return why;
  }

  /// Whether so many blobs wait that nothing may start that could make more.
  bool blobs_lag() const {
    return blob_bytes_waiting && blob_bytes_waiting() >= limits::blob_queue_bytes_max;
  }
};

/// Where messages to a shard go, whichever actor it has at the moment. Thread-safe.
class shard_address {
public:
  void set(caf::actor to) {
    std::scoped_lock lock{mutex_};
    to_ = std::move(to);
  }
  caf::actor get() const {
    std::scoped_lock lock{mutex_};
    return to_;
  }

private:
  mutable std::mutex mutex_;
  caf::actor to_;
};

/// What the actors of one shard share.
struct shard_context {
  core::shard_id id{};
  std::uint16_t shards = 1;
  std::shared_ptr<environment> env;
  std::shared_ptr<shard_log> log;
  std::shared_ptr<storage::view> view;
  std::shared_ptr<event_ring> ring;
  shard_address shard;
  /// Told once whether the shard could be recovered. May be empty.
  std::function<void(const status&)> recovered;
  /// Who waits for the end of a job. Only for code that runs where outputs are released.
  end_waiters waiting;
  /// Which unfinished jobs the observer was told of when the shard was first taken over: those
  /// up to `found_upto`, of those before `found_end`. Only for the shard's own actor.
  job_id found_upto, found_end;

  storage::view::graph_source graph_source() const;
};

} // namespace troupe::actors
