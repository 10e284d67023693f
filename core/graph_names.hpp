#pragma once

#include "troupe/graph_spec.hpp"

#include <string_view>
#include <unordered_map>

namespace troupe::core {

/// The place of each vertex in the file, by id; of two with one id the first. An empty id, which
/// nothing can have, leads to none. Only for look-up: it points into the graph it was made from,
/// and its order means nothing.
using vertex_names = std::unordered_map<std::string_view, std::uint32_t>;

inline vertex_names names_of(const graph_spec& spec) {
  vertex_names names;
  names.reserve(spec.vertices.size());
  for (std::uint32_t v = 0; v < spec.vertices.size(); ++v)
    if (auto& id = spec.vertices[v].id; !id.empty())
      names.try_emplace(id, v);
  return names;
}

} // namespace troupe::core
