#pragma once

#include "node/console.hpp"
#include "troupe/graph_spec.hpp"

#include <optional>
#include <string>

namespace troupe::node {

/// What `--dry-run` shows: the layers of what would run, and what would be reused. `from`, if set,
/// is a vertex of the graph, which is valid.
value plan_of(const graph_spec& graph, const std::optional<std::string>& from);

/// The same for people.
std::string plan_text(const value& plan);

} // namespace troupe::node
