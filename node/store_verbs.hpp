#pragma once

#include "node/verbs.hpp"

namespace troupe::node {

/// Adds `backup`, `restore`, `verify`, `compact`, `export` and `import`.
void add_store_verbs(CLI::App& app, const cli_targets& cli);

} // namespace troupe::node
