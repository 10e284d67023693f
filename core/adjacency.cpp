#include "core/adjacency.hpp"

#include <algorithm>
#include <limits>

namespace troupe::core {

namespace {

constexpr auto none = std::numeric_limits<std::uint32_t>::max();

/// Finds the strongly connected components with an own stack in place of recursion.
class component_finder {
public:
  component_finder(std::span<const link> links, const adjacency& out)
      : links_(links),
        out_(out),
        number_(out.begin.size() - 1, none),
        low_(number_),
        next_(out.begin.begin(), out.begin.end() - 1),
        component_(number_) {}

  /// By vertex: the number of its component.
  std::vector<std::uint32_t> find() {
    for (std::uint32_t v = 0; v < number_.size(); ++v)
      if (number_[v] == none)
        explore(v);
    return std::move(component_);
  }

private:
  void explore(std::uint32_t root) {
    enter(root);
    while (!path_.empty()) {
      auto v = path_.back();
      if (next_[v] == out_.begin[v + 1])
        leave(v);
      else
        look_at(v, links_[out_.members[next_[v]++]].to);
    }
  }

  void look_at(std::uint32_t v, std::uint32_t to) {
    if (number_[to] == none)
      enter(to);
    else if (component_[to] == none)
      low_[v] = std::min(low_[v], number_[to]);
  }

  void enter(std::uint32_t v) {
    number_[v] = low_[v] = numbered_++;
    path_.push_back(v);
    open_.push_back(v);
  }

  void leave(std::uint32_t v) {
    path_.pop_back();
    if (!path_.empty())
      low_[path_.back()] = std::min(low_[path_.back()], low_[v]);
    if (low_[v] != number_[v])
      return;
    for (auto member = none; member != v; open_.pop_back())
      component_[member = open_.back()] = components_;
    ++components_;
  }

  std::span<const link> links_;
  const adjacency& out_;
  std::vector<std::uint32_t> number_, low_, next_, component_;
  std::vector<std::uint32_t> path_, open_;
  std::uint32_t numbered_ = 0, components_ = 0;
};

/// Searches breadth first for the way from `first` back to it, within its component.
class way_back {
public:
  way_back(std::span<const link> links, const adjacency& out,
           const std::vector<std::uint32_t>& component)
      : links_(links), out_(out), component_(component), reached_by_(component.size(), none) {}

  /// The cycle, or nothing if there is none. Called for one vertex of each component.
  cycle from(std::uint32_t first) {
    std::vector<std::uint32_t> queue{first};
    for (std::size_t i = 0; i < queue.size(); ++i)
      for (auto at : out_.of(queue[i])) {
        auto to = links_[at].to;
        if (to == first)
          return traced(first, at);
        if (component_[to] != component_[first] || reached_by_[to] != none)
          continue;
        reached_by_[to] = at;
        queue.push_back(to);
      }
    return {};
  }

private:
  cycle traced(std::uint32_t first, std::uint32_t last) const {
    cycle way{last};
    for (auto v = links_[last].from; v != first; v = links_[way.back()].from)
      way.push_back(reached_by_[v]);
    std::reverse(way.begin(), way.end());
    return way;
  }

  std::span<const link> links_;
  const adjacency& out_;
  const std::vector<std::uint32_t>& component_;
  std::vector<std::uint32_t> reached_by_; ///< By vertex: a link.
};

/// Whether the component of a vertex has a cycle: it has two vertices or a self-loop.
std::vector<bool> cyclic_components(std::span<const link> links,
                                    const std::vector<std::uint32_t>& component) {
  std::vector<bool> cyclic(component.size());
  for (auto& x : links)
    if (component[x.from] == component[x.to])
      cyclic[component[x.from]] = true;
  return cyclic;
}

/// By component: its first vertex, which lies on a cycle if any vertex of the component does.
std::vector<std::uint32_t> first_vertices(const std::vector<std::uint32_t>& component) {
  std::vector<std::uint32_t> first(component.size(), none);
  for (std::uint32_t v = 0; v < component.size(); ++v)
    first[component[v]] = std::min(first[component[v]], v);
  return first;
}

} // namespace

adjacency grouped_by(std::uint32_t link::*end, std::span<const link> links, std::size_t vertices) {
  adjacency groups{std::vector<std::uint32_t>(vertices + 1),
                   std::vector<std::uint32_t>(links.size())};
  for (auto& x : links)
    ++groups.begin[x.*end + 1];
  for (std::size_t v = 0; v < vertices; ++v)
    groups.begin[v + 1] += groups.begin[v];
  std::vector<std::uint32_t> next(groups.begin.begin(), groups.begin.end() - 1);
  for (std::uint32_t i = 0; i < links.size(); ++i)
    groups.members[next[links[i].*end]++] = i;
  return groups;
}

std::vector<std::uint32_t> layer_numbers(std::span<const link> links, std::size_t vertices) {
  auto out = grouped_by(&link::from, links, vertices);
  std::vector<std::uint32_t> open(vertices), longest(vertices), number(vertices, no_layer), queue;
  for (auto& x : links)
    ++open[x.to];
  for (std::uint32_t v = 0; v < vertices; ++v)
    if (open[v] == 0)
      queue.push_back(v);
  for (std::size_t i = 0; i < queue.size(); ++i) {
    auto v = queue[i];
    number[v] = longest[v];
    for (auto at : out.of(v)) {
      auto to = links[at].to;
      longest[to] = std::max(longest[to], longest[v] + 1);
      if (--open[to] == 0)
        queue.push_back(to);
    }
  }
  return number;
}

std::vector<cycle> cycles_in(std::span<const link> links, std::size_t vertices) {
  auto out = grouped_by(&link::from, links, vertices);
  auto component = component_finder{links, out}.find();
  auto cyclic = cyclic_components(links, component);
  auto first = first_vertices(component);
  way_back search{links, out, component};
  std::vector<cycle> found;
  for (std::uint32_t v = 0; v < vertices; ++v)
    if (first[component[v]] == v && cyclic[component[v]])
      found.push_back(search.from(v));
  return found;
}

} // namespace troupe::core
