#pragma once

#include "troupe/states.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace troupe::core {

using troupe::vertex_state;
using troupe::vertex_states;

enum class vertex_request : std::uint8_t {
  satisfy,
  skip,
  start,
  succeed,
  fail,
  retry,
  lose,
  cancel,
  reuse,
};

constexpr vertex_request last(vertex_request) noexcept { return vertex_request::reuse; }

struct vertex_transition {
  vertex_state from;
  vertex_request on;
  vertex_state to;
};

/// The life of a vertex. A pure one has no start record: it goes from `ready` to its end.
inline constexpr auto vertex_transitions = [] {
  using enum vertex_state;
  using enum vertex_request;
  // clang-format off
  return std::to_array<vertex_transition>({
    // from   on       to
    {waiting, satisfy, ready},     // Its join is fulfilled.
    {waiting, skip,    skipped},   // Its join has become impossible.
    {waiting, cancel,  cancelled},
    {waiting, reuse,   succeeded}, // Recorded by an earlier job.
    {ready,   start,   running},
    {ready,   succeed, succeeded},
    {ready,   fail,    failed},
    {ready,   retry,   backoff},
    {ready,   cancel,  cancelled},
    {ready,   reuse,   succeeded},
    {running, succeed, succeeded},
    {running, fail,    failed},
    {running, retry,   backoff},
    {running, lose,    ready},     // Its node died: a redelivery.
    {running, cancel,  cancelled},
    {backoff, start,   running},
    {backoff, succeed, succeeded},
    {backoff, fail,    failed},
    {backoff, retry,   backoff},
    {backoff, cancel,  cancelled},
  });
  // clang-format on
}();

/// Returns where `on` leads, or nothing if it is illegal in `from`.
constexpr std::optional<vertex_state> next(vertex_state from, vertex_request on) noexcept {
  for (auto& row : vertex_transitions)
    if (row.from == from && row.on == on)
      return row.to;
  return {};
}

const char* to_string(vertex_request request) noexcept;

} // namespace troupe::core
