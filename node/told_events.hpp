#pragma once

#include "troupe/event.hpp"

#include <optional>
#include <string>

/// Events as `troupe jobs logs` tells them. Pure; any thread.
namespace troupe::node {

/// Whether an event is told: what vertices said, and failures, or with `all` every one; with
/// `vertex` only what concerns that one.
bool is_told(const event& x, const std::optional<std::string>& vertex, bool all);

/// One line with the time, and a line feed. `numbered`: the event's number stands before it.
std::string told_line(const event& x, bool numbered);

} // namespace troupe::node
