#pragma once

#include "troupe/graph_spec.hpp"

#include <string>
#include <vector>

/// What every drawing of a graph says.
namespace troupe::graph_json {

/// The lines of a vertex: its id, its kind, and how it joins, unless it waits for all.
std::vector<std::string> vertex_lines(const vertex_spec& vertex);

/// The lines of an edge: its ports and its condition, if there is something to say.
std::vector<std::string> edge_lines(const edge_spec& edge);

/// Whether the edge carries the error of a vertex that has failed.
inline bool carries_error(const edge_spec& edge) { return edge.from_port == "error"; }

} // namespace troupe::graph_json
