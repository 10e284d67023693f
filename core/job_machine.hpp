#pragma once

#include "troupe/states.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace troupe::core {

using troupe::job_state;

enum class job_request : std::uint8_t {
  start,
  pause,
  resume,
  requeue,
  complete,
  fail,
  expire,
  cancel,
  stop,
  ended,
};

constexpr job_request last(job_request) noexcept { return job_request::ended; }

struct job_transition {
  job_state from;
  job_request on;
  job_state to;
};

/// The life of a job. A pair that is not listed is refused and changes nothing.
inline constexpr auto job_transitions = [] {
  using enum job_state;
  using enum job_request;
  // clang-format off
  return std::to_array<job_transition>({
    // from      on        to
    {pending,    start,    running},
    {pending,    pause,    paused},
    {pending,    expire,   failed},
    {pending,    cancel,   cancelling},
    {pending,    stop,     stopping},
    {running,    complete, completed},
    {running,    fail,     failed},
    {running,    pause,    paused},
    {running,    cancel,   cancelling},
    {running,    stop,     stopping},
    {paused,     resume,   running},
    {paused,     requeue,  pending},   // Resumed before it ever ran.
    {paused,     complete, completed}, // Its running vertices ended.
    {paused,     fail,     failed},
    {paused,     cancel,   cancelling},
    {paused,     stop,     stopping},
    {cancelling, ended,    cancelled},
    {cancelling, stop,     stopping},
    {stopping,   ended,    stopped},
  });
  // clang-format on
}();

/// Returns where `on` leads, or nothing if it is illegal in `from`.
constexpr std::optional<job_state> next(job_state from, job_request on) noexcept {
  for (auto& row : job_transitions)
    if (row.from == from && row.on == on)
      return row.to;
  return {};
}

const char* to_string(job_request request) noexcept;

} // namespace troupe::core
