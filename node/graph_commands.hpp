#pragma once

#include "node/console.hpp"

#include <cstdint>
#include <optional>
#include <string>

/// The verbs of `troupe graphs`. Each returns its exit code.
namespace troupe::node {

/// Tells all that is wrong with a graph, or that nothing is.
int validate_graph(console& to, const std::string& file, format how);

enum class drawing : std::uint8_t { dot, svg };

/// Draws a graph, in Graphviz DOT or as SVG.
int render_graph(console& to, const std::string& file, drawing how);

enum class graph_origin : std::uint8_t { wfformat, langflow };

struct import_options {
  graph_origin from = graph_origin::wfformat;
  std::string file;
  std::optional<double> replay; ///< Tasks become delays of their recorded time divided by this.
  std::string output = "-";     ///< A file, or `-` for standard output.
};

/// Makes a graph of a workflow in WfFormat, or of a Langflow flow.
int import_graph(console& to, const import_options& options);

} // namespace troupe::node
