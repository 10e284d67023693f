#pragma once

#include "node/verbs.hpp"

namespace troupe::node {

/// Adds `run`, `serve` and `dev`.
void add_run_verbs(CLI::App& app, const cli_targets& cli);

} // namespace troupe::node
