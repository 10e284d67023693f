#pragma once

#include "core/adjacency.hpp"
#include "core/graph_names.hpp"
#include "core/problem_list.hpp"
#include "troupe/graph_spec.hpp"

#include <cstdint>
#include <vector>

namespace troupe::core {

/// The edges of a graph whose ends both exist, as far as they can be used.
struct checked_edges {
  std::vector<link> links;
  std::vector<std::uint32_t> places;   ///< By link: its place among the edges of the file.
  std::vector<std::uint32_t> incoming; ///< By vertex: how many edges lead to it.
};

/// Reports what is wrong with the edges of `spec`: ends and ports that do not exist, conditions,
/// repetitions.
checked_edges check_edges(const graph_spec& spec, const vertex_names& names, problem_list& found);

/// `no vertex ...`, with the name that may have been meant.
std::string no_vertex(const graph_spec& spec, const std::string& id);

} // namespace troupe::core
