#pragma once

#include "node/progress_text.hpp"
#include "troupe/event.hpp"
#include "troupe/graph_spec.hpp"

#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::node {

inline constexpr std::size_t tree_vertices_max = 500; ///< Larger graphs are not drawn as trees.

/// The vertices of a graph below each other, each under one that it waits for, and what has become
/// of each. One thread at a time.
class vertex_tree {
public:
  /// Nothing is drawn of a graph with more than `tree_vertices_max` vertices.
  explicit vertex_tree(const graph_spec& graph);

  /// Takes every event of the job, in order.
  void apply(const event& x);
  /// All events come anew.
  void restart();

  /// At most `rows` lines, none wider than the style's width, each with a line feed. If there is no
  /// room for all, what has succeeded is left out first, then what waits.
  std::string text(const text_style& style, std::size_t rows) const;

private:
  struct line {
    std::string id;
    std::size_t depth = 0;
    vertex_state state = vertex_state::waiting;
    std::int64_t attempt = 0, took_ms = -1;
    std::string why; ///< Of its last failure.
  };

  std::string text_of(const line& x, const text_style& style) const;
  std::vector<const line*> shown(std::size_t rows) const;

  std::vector<line> lines_;
  std::unordered_map<std::string, std::size_t> at_;
};

} // namespace troupe::node
