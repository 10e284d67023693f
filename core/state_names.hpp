#pragma once

#include "troupe/states.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace troupe::core {

/// The names of all states of jobs, as `to_string` has them, in their order.
std::vector<std::string_view> job_state_names();

/// The state of a job that has this name; nothing if there is none.
std::optional<job_state> parse_job_state(std::string_view name);

} // namespace troupe::core
