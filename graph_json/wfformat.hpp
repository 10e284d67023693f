#pragma once

#include "graph_json/graph_json.hpp"

#include <optional>
#include <string_view>

namespace troupe::graph_json {

/// How recorded workflows become graphs.
struct wf_options {
  /// Above 0: each task is a `delay` that holds a slot for its recorded run time divided by this;
  /// a task without one takes no time. Nothing: each task is a `noop`.
  std::optional<double> replay_speedup;
};

/// Makes a graph of a workflow in WfFormat 1.5 (https://wfcommons.org/format), in one pass: each
/// task a vertex with `"inputs": {"in": "many"}`. Edges come from parents and children, each once:
/// grouped by the dependant in the order of the file, parents as listed, then those that only list
/// it as a child. Characters that no name may have become `_`; a number keeps names apart.
/// Errors, with JSON Pointers into `text`: those of `parse_graph`, `not_wfformat`,
/// `unsupported_version`, `unknown_task`, `duplicate_task`, `self_edge`. Cycles are found by
/// `core::compile`.
parsed_graph import_wfformat(std::string_view text, const wf_options& options);

} // namespace troupe::graph_json
