#pragma once

#include "troupe/graph_spec.hpp"
#include "troupe/ids.hpp"
#include "troupe/limits.hpp"
#include "troupe/problem.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Graphs as JSON (`docs/graph.schema.json`). Pure but for files; any thread.
namespace troupe::graph_json {

/// What a text says and all that is wrong with its shape. With errors, `spec` has what could be
/// read. Nothing here looks across vertices: see `core::compile`.
struct parsed_graph {
  graph_spec spec;
  problems errors;
};

/// How large a graph may be.
struct graph_bounds {
  std::size_t vertices_max = limits::graph_vertices_max;
  std::size_t edges_max = limits::graph_edges_max;
};

/// Reads a graph in one pass, vertex by vertex, without a document in memory. Numbers become what
/// the canonical text says: `1.0` is the integer 1.
/// Errors: at most `limits::graph_problems_max`, then `more_problems`, each with a JSON Pointer:
/// `wrong_type`, `unknown_key`, `missing_key`, `duplicate_key`, `duplicate_item`, `out_of_range`,
/// `bad_name`, `bad_value`, `bad_duration`, `reserved_name`, `too_many`. Alone: `syntax` (with the
/// byte offset), `too_deep` (the same with the place) and `io_failed`.
parsed_graph parse_graph(std::string_view text, const graph_bounds& bounds = {});

/// The same from a file or a pipe, read in pieces.
parsed_graph parse_graph_file(const std::string& path, const graph_bounds& bounds = {});

/// An object that has a graph among its members.
struct parsed_members {
  value others = value::object{};         ///< All members but a graph that is an object.
  std::optional<graph_spec> graph;        ///< The graph, if it is an object.
  std::optional<std::uint64_t> malformed; ///< The byte where it stops being JSON.
  problems errors;                        ///< As those of `parse_graph`.
};

/// Reads an object whose member `name` may be a graph, in one pass. Pointers lead into the whole.
parsed_members parse_members(std::string_view text, std::string_view name,
                             const graph_bounds& bounds = {});

/// The object that `parse_graph` reads back; what is as by default is left out.
value to_value(const graph_spec& graph);

/// The canonical text (RFC 8785) of `to_value`: the same for graphs that only differ in order of
/// keys, spelled-out defaults, or how durations and numbers are written.
std::string canonical_json(const graph_spec& graph);

/// The graph's name by content: the SHA-256 of `canonical_json`, without holding that in memory.
graph_id id_of(const graph_spec& graph);

} // namespace troupe::graph_json
