#pragma once

#include "graph_json/graph_json.hpp"

#include <string>

namespace troupe::graph_json {

/// How flows become graphs.
struct langflow_options {
  std::string name{};      ///< Of a flow that has none.
  bool keep_going = false; ///< A component that fails takes what depends on it with it, no more.
};

/// Makes a graph of a Langflow flow: each component a vertex with its id as its name. Inputs
/// (`ChatInput`, `TextInput`) and outputs (`ChatOutput`, `TextOutput`) become kind `jq`, every
/// other component a `worker` whose task is its type. A vertex gives an object with a member for
/// each output of the component; an edge is taken if the member that it stands for is there.
/// `docs/langflow.md` has the whole contract. Pure; any thread. Errors, with JSON Pointers into
/// `flow`: those of `read_langflow`, and `cyclic_flow` for a loop, which no graph can have yet.
parsed_graph import_langflow(const value& flow, const langflow_options& options = {});

/// The part of a graph that runs from `start` on, with all that it needs, and up to `stop`; either
/// may be empty. Both are ids as the flow has them, of components or of outermost groups, or names
/// of vertices. Nothing if there is no such one.
std::optional<graph_spec> part_of(const graph_spec& graph, const std::string& start,
                                  const std::string& stop);

/// The outermost group that the component of an imported vertex was in; empty if it was in none.
std::string group_of(const vertex_spec& x);

/// Whether a component is an input or an output that a person talks to: `ChatInput`, `ChatOutput`.
bool is_chat_input(std::string_view vertex) noexcept;
bool is_chat_output(std::string_view vertex) noexcept;

} // namespace troupe::graph_json
