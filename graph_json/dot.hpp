#pragma once

#include "troupe/graph_spec.hpp"

#include <string>

namespace troupe::graph_json {

/// Draws a graph in Graphviz DOT: kinds as shapes, ports and conditions on edges, edges of errors
/// dashed and red. In the order of the graph; also for graphs that are not valid.
std::string to_dot(const graph_spec& graph);

} // namespace troupe::graph_json
