#pragma once

#include "node/store_verbs.hpp"

namespace troupe::node {

/// Adds `keys`, `audit`, `doctor` and `completion`.
void add_admin_verbs(CLI::App& app, const cli_targets& cli);

} // namespace troupe::node
