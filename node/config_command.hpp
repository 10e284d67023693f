#pragma once

#include "node/config/parse_config.hpp"
#include "node/console.hpp"

#include <string>

namespace troupe::node {

/// Reads a configuration file, or none if `file` is empty, and the environment of this process.
/// Shows each problem as a line `FILE: /http/port: …`. Faults: `invalid_config`,
/// `unreadable_file`.
answer<node_config> load_config(console& to, const std::string& file);

/// `troupe serve --check`: reads it, and says what it comes to. The exit code.
int check_config(console& to, const std::string& file, format how);

/// A line for each change that a running node was told of, and what becomes of it.
std::string reload_lines(const std::vector<config_change>& changes);

} // namespace troupe::node
