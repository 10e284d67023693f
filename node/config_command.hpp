#pragma once

#include "node/config/parse_config.hpp"
#include "node/console.hpp"

#include <functional>
#include <string>

namespace troupe::node {

/// What the command line sets on top of a configuration.
using config_options = std::function<node_config(node_config)>;

/// Reads a configuration file, or none if `file` is empty, and the environment of this process, and
/// puts `options` on top; none: nothing was set. Shows each problem as a line
/// `FILE: /http/port: …`, those of the options, too, those of variables as `environment: …`.
/// Faults: `invalid_config`, `unreadable_file`.
answer<node_config> load_config(console& to, const std::string& file,
                                const config_options& options = {});

/// `troupe serve --check`: reads it and the files of TLS, and says what it comes to. The exit code.
int check_config(console& to, const std::string& file, const config_options& options, format how);

/// A line for each change that a running node was told of, and what becomes of it.
std::string reload_lines(const std::vector<config_change>& changes);

} // namespace troupe::node
