#pragma once

#include "graph_json/problem_list.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe::graph_json {

/// A component of a flow: a node that is no note.
struct flow_component {
  std::string id;
  std::string type;            ///< `ChatInput`, …
  std::string place;           ///< JSON Pointer into the document.
  const value* node = nullptr; ///< Its `data.node`; part of the document.
  std::string group{};         ///< The outermost group that it is in; empty: none.

  const value* fields() const noexcept { return node ? node->find("template") : nullptr; }
  /// The names of its outputs, in order.
  std::vector<std::string> outputs() const;
};

/// An output of one component is an input of another.
struct flow_link {
  std::string from, output;
  std::string to, field;
  std::string place;
};

/// A flow with its groups taken apart. Refers to the document.
struct flow_document {
  std::string name;
  std::vector<flow_component> components;
  std::vector<flow_link> links; ///< In the order of the document, none twice.
};

/// Groups within groups.
inline constexpr std::size_t flow_depth_max = 8;

/// Reads `{name, data: {nodes, edges}}` or `{nodes, edges}`. What is wrong goes to `out`:
/// `not_langflow`, `missing_key`, `wrong_type`, `duplicate_component`, `unknown_component`,
/// `bad_handle`, `too_deep`. Pure; any thread.
flow_document read_langflow(const value& from, problem_list& out);

/// The string member of an object; empty if there is none.
std::string text_in(const value* object, std::string_view key);

} // namespace troupe::graph_json
