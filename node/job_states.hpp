#pragma once

#include "node/errors.hpp"
#include "troupe/states.hpp"

#include <optional>
#include <string>

namespace troupe::node {

/// The state that a user names; nothing if none is named. Faults: `bad_usage`.
answer<std::optional<job_state>> state_of(const std::optional<std::string>& name);

} // namespace troupe::node
