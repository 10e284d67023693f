#pragma once

#include "node/console.hpp"
#include "node/target.hpp"

#include <string>

namespace troupe::node {

/// `troupe stats`: how many jobs each queue of a node has in each state. Returns the exit code.
int show_stats(console& to, const target_options& at, format how);

/// `troupe graphs register`: stores a graph at a node and prints its id. Returns the exit code.
int register_graph(console& to, const target_options& at, const std::string& file, format how);

} // namespace troupe::node
