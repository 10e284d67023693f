#include "core/adjacency.hpp"
#include "core/graph.hpp"
#include "core/graph_names.hpp"

namespace troupe::core {

namespace {

/// Follows links from `first`, breadth first, over the far ends that `next` tells.
template <class Next>
std::vector<bool> reached(vertex_index first, std::size_t vertices, Next next) {
  std::vector<bool> seen(vertices);
  std::vector<vertex_index> queue{first};
  seen[first] = true;
  for (std::size_t i = 0; i < queue.size(); ++i)
    next(queue[i], [&](vertex_index v) {
      if (!seen[v])
        queue.push_back(v);
      seen[v] = true;
    });
  return seen;
}

/// The edges of `spec` whose ends both exist.
std::vector<link> links_of(const graph_spec& spec, const vertex_names& names) {
  std::vector<link> links;
  links.reserve(spec.edges.size());
  for (auto& x : spec.edges) {
    auto from = names.find(x.from), to = names.find(x.to);
    if (from != names.end() && to != names.end())
      links.push_back({from->second, to->second});
  }
  return links;
}

} // namespace

std::vector<std::vector<vertex_index>> layers_of(const graph& g) {
  std::vector<link> links;
  links.reserve(g.edges.size());
  for (auto& x : g.edges)
    links.push_back({x.from, x.to});
  auto numbers = layer_numbers(links, g.size());
  std::vector<std::vector<vertex_index>> layers(g.layers);
  for (vertex_index v = 0; v < g.size(); ++v)
    layers[numbers[v]].push_back(v);
  return layers;
}

std::optional<graph_spec> ancestors_of(const graph_spec& spec, const std::string& until) {
  auto names = names_of(spec);
  auto last = names.find(until);
  if (last == names.end())
    return {};
  auto links = links_of(spec, names);
  auto in = grouped_by(&link::to, links, spec.vertices.size());
  auto kept = reached(last->second, spec.vertices.size(), [&](vertex_index v, auto visit) {
    for (auto i : in.of(v))
      visit(links[i].from);
  });
  auto is_kept = [&](const std::string& id) {
    auto found = names.find(id);
    return found != names.end() && kept[found->second];
  };
  graph_spec part;
  part.name = spec.name;
  for (auto& x : spec.vertices)
    if (is_kept(x.id))
      part.vertices.push_back(x);
  for (auto& x : spec.edges)
    if (is_kept(x.from) && is_kept(x.to))
      part.edges.push_back(x);
  return part;
}

std::vector<bool> descendants_of(const graph& g, vertex_index from) {
  return reached(from, g.size(), [&](vertex_index v, auto visit) {
    for (auto& x : g.out(v))
      visit(x.to);
  });
}

} // namespace troupe::core
