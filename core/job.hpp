#pragma once

#include "core/records.hpp"
#include "core/vertex_machine.hpp"

#include <map>
#include <optional>

namespace troupe::core {

enum class edge_state : std::uint8_t { open, live, failed, skipped, ignored };

/// What became of the inputs of a vertex so far. Skipped ones do not count.
struct input_counts {
  std::uint32_t open = 0, live = 0, failed = 0;
  bool operator==(const input_counts&) const = default;
};

/// What only a vertex with attempts, failures or timers has.
struct vertex_detail {
  std::uint32_t attempts = 0; ///< Numbers given so far.
  std::uint32_t redeliveries = 0;
  std::optional<token> current; ///< While an attempt runs.
  std::optional<token> ended;   ///< The last attempt whose result was recorded.
  shard_time started{};         ///< Of the current attempt.
  /// When its timer or back-off ends; zero: none. While the job is paused, `due − paused_at` is
  /// what is left of it.
  shard_time due{};
  duration lease{};         ///< Of the current attempt if a worker outside has it; else zero.
  std::uint64_t said = 0;   ///< Stream bytes of the current attempt.
  std::uint32_t pieces = 0; ///< Stream records of the current attempt.
  problem error;            ///< Of the last failure.
  bool operator==(const vertex_detail&) const = default;
};

/// The vertices of a job that has begun, in arrays by vertex or edge.
struct job_run {
  std::vector<vertex_state> states;
  std::vector<input_counts> inputs;
  std::vector<edge_state> edges; ///< In the order of `graph::edges`.
  std::vector<payload> outputs;
  std::map<vertex_index, vertex_detail> details;
  std::array<std::uint32_t, vertex_states> count{}; ///< Vertices in each state.
  bool failing = false; ///< A vertex whose failure fails the job has failed.
  bool operator==(const job_run&) const = default;

  std::uint32_t in(vertex_state x) const noexcept { return count[std::size_t(x)]; }
  std::uint32_t open() const noexcept {
    using enum vertex_state;
    return in(waiting) + in(ready) + in(running) + in(backoff);
  }
};

/// One run of a graph. `apply` alone changes it.
struct job {
  job_id id;
  namespace_id ns{};
  shard_id shard{};
  job_state state = job_state::pending;
  job_added spec;
  std::shared_ptr<const graph> plan; ///< Null until someone needs the vertices.
  shard_time created{}, started{}, ended{};
  shard_time paused_at{};
  problem error;              ///< Why it failed.
  std::uint64_t events = 0;   ///< The number of the newest event.
  std::uint64_t streamed = 0; ///< Bytes of stream events, against `limits::stream_bytes_max`.
  bool stream_cut = false;    ///< The budget is used up.
  std::vector<std::string> messages; ///< What it was told, in order.
  std::optional<job_run> run;        ///< Set once it has begun.
};

bool operator==(const job& a, const job& b);

/// What one record did to vertices beyond those it names: a readiness, a skip. `cause` is the
/// position of the outcome in the record that led to it.
struct vertex_change {
  vertex_index vertex = 0;
  std::uint32_t cause = 0;
};
struct changes {
  std::vector<vertex_change> ready, skipped;
  std::vector<std::uint32_t> ignored; ///< Positions of outcomes that did not fit: no event.
  bool reset = false;                 ///< A new attempt starts over what an earlier one had said.
};

/// Whether somebody has asked the job to end: nothing of it starts any more.
inline bool is_being_ended(const job& x) noexcept {
  return x.state == job_state::cancelling || x.state == job_state::stopping;
}

/// The only way a job changes: live, in recovery and on followers. Total and pure: a record that
/// does not fit is ignored. `plan` must be set before the job begins. What became ready or was
/// skipped goes to `seen`, which must be empty.
void apply(job& x, const record& r, changes& seen);

/// How many events `r` makes, `seen` being what `apply` told of it.
std::uint64_t events_of(const record& r, const changes& seen);

/// The job that `r`, a `job_added`, makes; it counts the record's event.
job job_of(const record& r);

/// What is wrong with the live inputs of a vertex: several values on a `one` port
/// (`multiple_values`).
std::optional<problem> check_inputs(const job& x, vertex_index v);

/// The inputs of a vertex: a member per port that has a live value (a list on a `many` port) and
/// `job`. What `check_inputs` says is wrong stands in `wrong`.
struct gathered {
  value inputs;
  std::optional<problem> wrong;
  std::vector<payload> missing; ///< Values that have to be loaded from their blobs first.
};
gathered gather(const job& x, vertex_index v);

/// The result of a job that has ended: the outputs of the vertices that its graph names, each as
/// `show` has it.
value result_of(const job& x, value (*show)(const payload&));

/// The value itself; it must be loaded.
value whole(const payload& x);

/// The value, or, if it lies in a blob, that blob's name:
/// `{"$blob": "sha256:…", "bytes": N, "type": "application/json"}`.
value by_reference(const payload& x);

/// The problem object that an error edge carries and events tell.
value to_value(const problem& x);

} // namespace troupe::core
