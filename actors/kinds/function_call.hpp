#pragma once

#include "actors/kinds/function_registry.hpp"
#include "core/attempt_clock.hpp"

#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

namespace troupe::actors {

/// An attempt of a `function` vertex. It is reported once, and nothing is said after that.
class function_call {
public:
  using clock = std::chrono::steady_clock;

  function_call(function_registry::entry body, attempt x, attempt_runner::report done,
                attempt_runner::log say);

  const attempt& what() const noexcept { return x_; }

  /// Calls the function on this thread.
  attempt_report run();
  /// Reports `x`, unless it was reported before. Thread-safe.
  void finish(attempt_report x);
  /// Asks the function to return. Thread-safe; runs its stop callbacks.
  void ask() { stop_.request_stop(); }

  /// The report of an attempt that ended by `why`, not `none`.
  attempt_report ended_by(core::early_end why) const;

  /// The pool's, under its lock.
  struct {
    std::optional<core::attempt_clock> time; ///< Since it runs.
    bool abandoned = false;
    std::thread::id thread;
  } pool;

private:
  function_registry::entry body_;
  attempt x_;
  attempt_runner::report done_;
  attempt_runner::log say_;
  std::stop_source stop_;
  std::mutex mutex_; // Held while saying, so that nothing is said after the report.
  bool reported_ = false;
  std::size_t said_ = 0; ///< Bytes.
};

} // namespace troupe::actors
