#pragma once

#include "troupe/graph_spec.hpp"

#include <initializer_list>
#include <utility>

namespace troupe {

/// Writes a `graph_spec` step by step. Nothing is checked here: `runtime::check` does that.
///
///     auto graph = graph_builder{"shout"}
///                    .add("now", "exec", {{"argv", value::list{"date", "-u"}}})
///                    .add("shout", "jq", {{"program", ".in | ascii_upcase"}})
///                    .connect("now", "shout")
///                    .build();
class graph_builder {
public:
  explicit graph_builder(std::string name) { graph_.name = std::move(name); }

  /// Adds a vertex; `vertex()` changes what else it has.
  graph_builder& add(std::string id, std::string kind, value::object config = {}) {
    auto& v = graph_.vertices.emplace_back();
    v.id = std::move(id);
    v.kind = std::move(kind);
    v.config = std::move(config);
    return *this;
  }

  /// The vertex that was added last. There must be one.
  vertex_spec& vertex() { return graph_.vertices.back(); }

  /// Makes the port `in` of the vertex that was added last take a list.
  graph_builder& takes_many() {
    vertex().inputs["in"] = arity::many;
    return *this;
  }

  /// `to` gets the output of `from`; `edge()` changes what else the edge has.
  graph_builder& connect(std::string from, std::string to) {
    auto& e = graph_.edges.emplace_back();
    e.from = std::move(from);
    e.to = std::move(to);
    return *this;
  }

  /// The edge that was added last. There must be one.
  edge_spec& edge() { return graph_.edges.back(); }

  /// The vertices whose outputs are the result; without this, the sinks.
  graph_builder& result(std::vector<std::string> vertices) {
    graph_.result = std::move(vertices);
    return *this;
  }

  graph_spec build() && { return std::move(graph_); }
  const graph_spec& build() const& { return graph_; }

private:
  graph_spec graph_;
};

} // namespace troupe
