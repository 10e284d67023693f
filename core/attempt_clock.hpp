#pragma once

#include "core/types.hpp"
#include "troupe/graph_spec.hpp"

#include <chrono>
#include <optional>

namespace troupe::core {

/// Why an attempt that runs was asked to end, or was ended.
enum class early_end : std::uint8_t { none, soft, hard, cancelled };

/// When a running attempt is asked to end, and when it is ended whether it heeds that or not. Its
/// soft limit asks, and leaves it until its hard one or, without one, `limits::cancel_grace`. A
/// cancel asks, and leaves it the grace that it names, but no longer than it had. It is told the
/// time; durations are at most `limits::duration_max`.
class attempt_clock {
public:
  using time = std::chrono::steady_clock::time_point;

  /// What has to be done to the attempt.
  enum class step : std::uint8_t { none, ask, end };

  attempt_clock(const timeouts_spec& limits, time begun);

  /// When `advance` will have something to say; nothing: never.
  std::optional<time> deadline() const noexcept;
  /// What is due. After `end` nothing is any more.
  step advance(time now);
  /// Asks the attempt to end, or ends it if there is no grace.
  step cancel(duration grace, time now);
  /// A cancel counts before a limit, also if it comes while the attempt is already being ended.
  early_end why() const noexcept { return why_; }

private:
  std::optional<time> soft_at_, end_at_;
  early_end at_end_ = early_end::soft; ///< The limit that `end_at_` is of.
  early_end why_ = early_end::none;
  bool ended_ = false;
};

} // namespace troupe::core
