#include "node/run_checks.hpp"

#include "core/kind_catalog.hpp"
#include "core/names.hpp"

#include <algorithm>

namespace troupe::node {

std::optional<trouble> needs_node(const graph_spec& graph, const std::string& name,
                                  const std::string& next) {
  auto kinds = core::builtin_kinds();
  auto is_for_workers = [&](const vertex_spec& x) {
    auto kind = kinds.find(x.kind);
    return kind != kinds.end() && kind->second.how == core::execution::leased;
  };
  auto found = std::ranges::find_if(graph.vertices, is_for_workers);
  if (found == graph.vertices.end())
    return {};
  return trouble{fault::bad_usage, name + " has vertices for workers, which need a node",
                 "nobody can fetch " + core::quoted(found->id) + " (of the kind "
                     + core::quoted(found->kind) + ") from `troupe run`: it would wait for ever",
                 next};
}

} // namespace troupe::node
