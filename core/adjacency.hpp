#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace troupe::core {

/// An edge from one vertex to another, both by their place in the file.
struct link {
  std::uint32_t from = 0, to = 0;
};

/// Places in a list of links, grouped by one of their ends, in the order of the list.
struct adjacency {
  std::vector<std::uint32_t> begin;   ///< Size: vertices + 1.
  std::vector<std::uint32_t> members; ///< Indices of links.

  std::span<const std::uint32_t> of(std::uint32_t v) const noexcept {
    return {members.data() + begin[v], members.data() + begin[v + 1]};
  }
};

/// Groups links by the given end. Linear.
adjacency grouped_by(std::uint32_t link::*end, std::span<const link> links, std::size_t vertices);

/// By vertex: how many come before it on the longest path to it. A vertex on or behind a cycle has
/// no such number and gets `no_layer`.
inline constexpr std::uint32_t no_layer = 0xffff'ffff;
std::vector<std::uint32_t> layer_numbers(std::span<const link> links, std::size_t vertices);

/// A way back to where it began: indices of links.
using cycle = std::vector<std::uint32_t>;

/// One cycle for each group of vertices that can all reach each other (strongly connected
/// component): a shortest one through its first vertex, beginning there. Ordered by that vertex.
/// Iterative and linear (Tarjan, "Depth-first search and linear graph algorithms", 1972).
std::vector<cycle> cycles_in(std::span<const link> links, std::size_t vertices);

} // namespace troupe::core
