#pragma once

#include "node/store_verbs.hpp"
#include "node/target.hpp"

namespace troupe::node {

/// Adds `submit`, `jobs` with its verbs, and `stats`.
void add_job_verbs(CLI::App& app, const cli_targets& cli);

/// Adds `register` and `list` to `troupe graphs`.
void add_node_graphs(CLI::App& graphs, const cli_targets& cli);

/// Adds `--url`, `--token` and `--ca-file`.
void add_node_options(CLI::App& to, target_options& at);

} // namespace troupe::node
