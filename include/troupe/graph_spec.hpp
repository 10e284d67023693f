#pragma once

#include "troupe/value.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// When a vertex runs, by what became of its inputs. Inputs that were skipped never count.
enum class join_policy : std::uint8_t {
  all,           ///< Every input succeeded (default); one that failed makes it impossible.
  any,           ///< At the first that succeeds; later inputs are ignored.
  n,             ///< At the k-th that succeeds; later inputs are ignored.
  quorum,        ///< When more than half of all inputs have succeeded.
  ignore_failed, ///< When all have ended and at least one succeeded.
};

struct join_spec {
  join_policy policy = join_policy::all;
  std::uint32_t count = 0; ///< Only for `n`: k.

  bool operator==(const join_spec&) const = default;
};

/// What the last failure of a vertex means for its job.
enum class on_error_policy : std::uint8_t {
  fail_job,    ///< Running siblings are cancelled, then the job has failed (default).
  continue_on, ///< `continue`: dependants lose this input; the job can still complete.
  route,       ///< Edges with `from_port: "error"` carry the problem object.
};

/// How failed attempts are repeated: full jitter over an exponential back-off
/// (Brooker, "Exponential Backoff And Jitter", 2015).
struct retry_spec {
  std::uint32_t max_attempts = 1; ///< All of them, the first included.
  std::chrono::milliseconds base{1000};
  double factor = 2;
  std::chrono::milliseconds cap{60'000};
  bool jitter = true;     ///< `full`: uniform in 0…delay; else `none`.
  bool on_error = true;   ///< Repeat what failed.
  bool on_timeout = true; ///< Repeat what took too long.

  bool operator==(const retry_spec&) const = default;
};

/// How long an attempt may take; 0 is without a limit.
struct timeouts_spec {
  std::chrono::milliseconds soft{0}; ///< Then it is asked to end.
  std::chrono::milliseconds hard{0}; ///< Then it is killed.

  bool operator==(const timeouts_spec&) const = default;
};

/// How many values an input port takes: the only live one, or a list in the order of edges.
enum class arity : std::uint8_t { one, many };

/// A vertex as it is written. `kind` and `config`: `docs/kinds.md`.
struct vertex_spec {
  std::string id{};   ///< `[A-Za-z0-9_.:-]{1,128}`, unique in its graph.
  std::string kind{}; ///< `noop`, `delay`, `exec`, …
  value config = value::object{};
  std::map<std::string, arity> inputs{{"in", arity::one}};
  join_spec join{};
  on_error_policy on_error = on_error_policy::fail_job;
  retry_spec retry{};
  timeouts_spec timeouts{};
  std::optional<bool> pure{}; ///< Without effects outside; default: what the kind says.

  bool operator==(const vertex_spec&) const = default;
};

/// A dependency: `to` gets the output of `from`, if `when` is true of it.
struct edge_spec {
  std::string from{}, to{};
  std::string from_port = "out"; ///< `out`, or `error` under `on_error: "route"`.
  std::string to_port = "in";
  std::optional<value> when{}; ///< A condition over the output; `docs/graphs.md`.

  bool operator==(const edge_spec&) const = default;
};

/// A graph as it is written: immutable once registered, named by its content.
struct graph_spec {
  std::string name{};
  std::vector<vertex_spec> vertices{};
  std::vector<edge_spec> edges{};    ///< Their order is the order of list inputs.
  std::vector<std::string> result{}; ///< Vertices whose outputs are the result; empty: the sinks.
  bool result_is_single = false;     ///< `result` was one name: the bare output, not an object.

  bool operator==(const graph_spec&) const = default;
};

} // namespace troupe
