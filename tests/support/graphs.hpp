#pragma once

#include "core/graph.hpp"

#include <string>

namespace troupe::tests {

/// Adds a vertex with a `many` port `in`, so that any number of edges may lead to it.
inline vertex_spec& add(graph_spec& g, std::string id, std::string kind = "noop") {
  auto& v = g.vertices.emplace_back();
  v.id = std::move(id);
  v.kind = std::move(kind);
  v.inputs["in"] = arity::many;
  return v;
}

inline edge_spec& link(graph_spec& g, std::string from, std::string to) {
  auto& e = g.edges.emplace_back();
  e.from = std::move(from);
  e.to = std::move(to);
  return e;
}

/// The graph ready to run. It is not checked: a test may compile what a user must not write.
inline std::shared_ptr<const core::graph> compiled(const graph_spec& g) {
  return core::compile(g, graph_id{{7}});
}

/// v0 → v1 → … → v(n-1).
inline graph_spec chain(std::size_t n) {
  graph_spec g;
  g.name = "chain";
  for (std::size_t i = 0; i < n; ++i)
    add(g, "v" + std::to_string(i));
  for (std::size_t i = 1; i < n; ++i)
    link(g, g.vertices[i - 1].id, g.vertices[i].id);
  return g;
}

/// v0 → each of v1…vn.
inline graph_spec fan_out(std::size_t n) {
  graph_spec g;
  g.name = "fan_out";
  for (std::size_t i = 0; i <= n; ++i)
    add(g, "v" + std::to_string(i));
  for (std::size_t i = 1; i <= n; ++i)
    link(g, "v0", g.vertices[i].id);
  return g;
}

/// Each of v0…v(n-1) → vn.
inline graph_spec fan_in(std::size_t n) {
  graph_spec g;
  g.name = "fan_in";
  for (std::size_t i = 0; i <= n; ++i)
    add(g, "v" + std::to_string(i));
  for (std::size_t i = 0; i < n; ++i)
    link(g, g.vertices[i].id, "v" + std::to_string(n));
  return g;
}

} // namespace troupe::tests
