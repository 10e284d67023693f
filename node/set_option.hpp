#pragma once

#include "node/errors.hpp"
#include "troupe/graph_spec.hpp"

#include <optional>
#include <string>

/// What `troupe run` changes in a graph before it runs. Pure; any thread.
namespace troupe::node {

/// Does what `--set VERTEX.KEY=VALUE` says: VALUE as JSON if it is JSON, else as a string; KEY a
/// dotted path under the vertex's config (digits count elements of a list); of several vertices
/// whose ids fit, the longest id wins. Faults: `bad_set`, `unknown_vertex`.
std::optional<trouble> apply_set(graph_spec& to, const std::string& text);

/// Whether the graph has a vertex of this id; else what to tell. Faults: `unknown_vertex`.
std::optional<trouble> check_vertex(const graph_spec& graph, const std::string& id);

} // namespace troupe::node
