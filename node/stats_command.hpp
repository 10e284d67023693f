#pragma once

#include "node/console.hpp"
#include "node/target.hpp"

namespace troupe::node {

/// `troupe stats`: how many jobs each queue of a node has in each state. Returns the exit code.
int show_stats(console& to, const target_options& at, format how);

} // namespace troupe::node
