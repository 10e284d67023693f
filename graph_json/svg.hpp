#pragma once

#include "troupe/graph_spec.hpp"

#include <string>

namespace troupe::graph_json {

/// Draws a valid graph as an SVG document that stands alone: from left to right by layers, vertices
/// as boxes with their ids and kinds, ports and conditions on edges, edges of errors dashed and
/// red. The order within a layer is that of the graph, moved to where few edges cross (the
/// barycentre heuristic of Sugiyama, Tagawa and Toda, 1981). The same graph is always drawn the
/// same way.
std::string to_svg(const graph_spec& graph);

} // namespace troupe::graph_json
