#pragma once

#include "core/records.hpp"
#include "troupe/graph_spec.hpp"
#include "troupe/problem.hpp"

#include <functional>
#include <optional>
#include <string>

namespace troupe::actors {

/// One try of a vertex, as the one who runs it sees it.
struct attempt {
  core::token proof; ///< Names the attempt, also to `cancel`.
  job_id job;
  std::string vertex;
  std::uint32_t number = 1;    ///< From 1; a redelivery repeats the number.
  std::string idempotency_key; ///< Job, vertex, iteration: the same for every attempt.
  value config;                ///< Checked at the door.
  value inputs;                ///< An object, a member per port, and `job`.
  timeouts_spec timeouts;
  std::string traceparent{}; ///< W3C Trace Context; empty: it has none.
};

using core::attempt_end;

/// How an attempt ended.
struct attempt_report {
  attempt_end outcome = attempt_end::succeeded;
  value output;   ///< If it succeeded.
  problem reason; ///< If it did not.
};

/// How many attempts a runner has in hand, and may have.
struct runner_use {
  std::size_t running = 0, most = 0;
};

/// Runs attempts that block or have effects, on threads of its own. Thread-safe.
class attempt_runner {
public:
  using report = std::function<void(attempt_report)>;
  /// A piece of text for people, as it arrives: a `log` event.
  using log = std::function<void(std::string)>;

  virtual ~attempt_runner() = default;

  /// Runs `x` now or when there is room. Calls `done` once, on any thread, and `say` any number
  /// of times before that, both of which may be called before `start` returns.
  virtual void start(attempt x, report done, log say) = 0;

  /// Asks the attempt to end, and kills it after `grace`; 0 kills at once. It is still reported,
  /// as `cancelled` unless it ended before. Unknown attempts are ignored.
  virtual void cancel(core::token proof, core::duration grace) = 0;

  /// What it runs right now; nothing if it has no bound, or has run nothing yet. Any thread.
  virtual std::optional<runner_use> use() const { return {}; }
};

} // namespace troupe::actors
