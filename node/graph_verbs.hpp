#pragma once

#include "node/verbs.hpp"

namespace troupe::node {

/// Adds `graphs` with its verbs.
void add_graph_verbs(CLI::App& app, const cli_targets& cli);

} // namespace troupe::node
