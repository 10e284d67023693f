#pragma once

#include "troupe/export.hpp"

#include <cstdint>

namespace troupe {

/// Where a job stands. Stands in records: append at the end, never renumber.
enum class job_state : std::uint8_t {
  pending,    ///< Recorded; waits for admission.
  running,    ///< Its vertices run.
  paused,     ///< What runs goes on to its end, nothing new starts, timers stand still.
  cancelling, ///< What runs was asked to end.
  stopping,   ///< What runs was killed.
  completed,
  failed,
  cancelled,
  stopped,
};

constexpr job_state last(job_state) noexcept { return job_state::stopped; }
constexpr bool terminal(job_state state) noexcept { return state >= job_state::completed; }
TROUPE_EXPORT const char* to_string(job_state state) noexcept;

/// Where a vertex of a job stands. Stands in records: append at the end, never renumber.
enum class vertex_state : std::uint8_t {
  waiting, ///< For its inputs.
  ready,   ///< For a slot.
  running,
  backoff, ///< Until its next attempt.
  succeeded,
  failed,
  skipped,
  cancelled,
};

inline constexpr unsigned vertex_states = 8;

constexpr vertex_state last(vertex_state) noexcept { return vertex_state::cancelled; }
constexpr bool terminal(vertex_state state) noexcept { return state >= vertex_state::succeeded; }
TROUPE_EXPORT const char* to_string(vertex_state state) noexcept;

} // namespace troupe
