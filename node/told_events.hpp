#pragma once

#include "troupe/event.hpp"

#include <optional>
#include <string>

/// Events as `troupe jobs logs` tells them. Pure; any thread.
namespace troupe::node {

/// Whether an event is told: what vertices said, and failures, or with `all` every one; with
/// `vertex` only what concerns that one.
bool is_told(const event& x, const std::optional<std::string>& vertex, bool all);

/// A line with the time, and a line feed; of a log as many as it has. `numbered`: the event's
/// number stands before each, and what is neither log nor failure is told whole.
std::string told_lines(const event& x, bool numbered);

} // namespace troupe::node
