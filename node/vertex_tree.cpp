#include "node/vertex_tree.hpp"

#include "node/text.hpp"

#include <algorithm>
#include <utility>

namespace troupe::node {

namespace {

constexpr std::size_t none = std::size_t(-1);

/// A graph as numbers: what each vertex waits for.
struct numbered {
  std::unordered_map<std::string, std::size_t> index;
  std::vector<std::vector<std::size_t>> before;
};

numbered numbers_of(const graph_spec& graph) {
  numbered x;
  for (auto& v : graph.vertices)
    x.index.emplace(v.id, x.index.size());
  x.before.resize(x.index.size());
  for (auto& e : graph.edges)
    if (x.index.contains(e.from) && x.index.contains(e.to))
      x.before[x.index[e.to]].push_back(x.index[e.from]);
  return x;
}

/// How many steps each vertex is away from one that waits for nothing, along the longest way. As
/// many rounds as there are layers; a graph of a node has no cycle.
std::vector<std::size_t> depths_of(const numbered& x) {
  std::vector<std::size_t> depths(x.before.size(), 0);
  auto changed = true;
  for (std::size_t round = 0; changed && round < depths.size(); ++round) {
    changed = false;
    for (std::size_t v = 0; v < depths.size(); ++v)
      for (auto u : x.before[v])
        if (depths[v] < depths[u] + 1)
          depths[v] = depths[u] + 1, changed = true;
  }
  return depths;
}

/// Under which one each vertex stands: the last of those that it waits for.
std::vector<std::size_t> parents_of(const numbered& x, const std::vector<std::size_t>& depths) {
  std::vector<std::size_t> parents(x.before.size(), none);
  for (std::size_t v = 0; v < parents.size(); ++v)
    for (auto u : x.before[v])
      if (parents[v] == none || depths[u] > depths[parents[v]])
        parents[v] = u;
  return parents;
}

/// What stands before a vertex, and how it is painted.
std::pair<const char*, const char*> sign_of(vertex_state x, bool utf8) {
  switch (x) {
  case vertex_state::running: return {utf8 ? "●" : "*", "36"};
  case vertex_state::backoff: return {utf8 ? "↻" : "~", "33"};
  case vertex_state::succeeded: return {utf8 ? "✔" : "+", "32"};
  case vertex_state::failed: return {utf8 ? "✘" : "!", "31"};
  case vertex_state::skipped: return {utf8 ? "–" : "-", "2"};
  case vertex_state::cancelled: return {utf8 ? "⊘" : "x", "33"};
  case vertex_state::waiting:
  case vertex_state::ready: break;
  }
  return {utf8 ? "○" : ".", "2"};
}

/// The state that `end_vertex` tells.
vertex_state state_named(std::string_view name) {
  for (unsigned i = 0; i < vertex_states; ++i)
    if (name == to_string(vertex_state(i)))
      return vertex_state(i);
  return vertex_state::waiting;
}

} // namespace

vertex_tree::vertex_tree(const graph_spec& graph) {
  if (graph.vertices.size() > tree_vertices_max)
    return;
  auto x = numbers_of(graph);
  auto parents = parents_of(x, depths_of(x));
  std::vector<std::vector<std::size_t>> below(parents.size());
  std::vector<std::pair<std::size_t, std::size_t>> open; // A vertex and how deep it stands.
  for (auto v = parents.size(); v-- > 0;) { // What is taken last from `open` comes first.
    if (parents[v] == none)
      open.emplace_back(v, 0);
    else
      below[parents[v]].push_back(v);
  }
  while (!open.empty()) {
    auto [v, depth] = open.back();
    open.pop_back();
    at_.emplace(graph.vertices[v].id, lines_.size());
    lines_.push_back({graph.vertices[v].id, depth, {}, 0, -1, {}});
    for (auto w : below[v])
      open.emplace_back(w, depth + 1);
  }
}

void vertex_tree::apply(const event& x) {
  auto found = at_.find(std::string{node::text_of(x.data, "vertex")});
  if (found == at_.end())
    return;
  auto& to = lines_[found->second];
  if (x.type == "vertex_start") {
    to.state = vertex_state::running;
    to.attempt = number_of(x.data, "attempt");
  } else if (x.type == "end_vertex") {
    to.state = state_named(node::text_of(x.data, "state"));
    to.took_ms = x.data.find("duration_ms") ? number_of(x.data, "duration_ms") : -1;
    auto why = x.data.find("error");
    to.why = why ? problem_of(*why).code + ": " + problem_of(*why).detail : "";
  }
}

void vertex_tree::restart() {
  for (auto& x : lines_)
    x = {x.id, x.depth, {}, 0, -1, {}};
}

std::string vertex_tree::text_of(const line& x, const text_style& style) const {
  auto [sign, colour] = sign_of(x.state, style.utf8);
  auto rest = " " + x.id;
  if (x.attempt > 1)
    rest += " (attempt " + std::to_string(x.attempt) + ")";
  if (x.took_ms >= 0 && terminal(x.state))
    rest += "  " + span_text(std::chrono::milliseconds{x.took_ms});
  if (!x.why.empty() && x.state != vertex_state::running)
    rest += "  " + x.why;
  auto indent = std::min(2 * x.depth, style.width / 2);
  auto room = style.width > indent + 1 ? style.width - indent - 1 : 0;
  auto painted = style.colours ? "\x1b[" + std::string{colour} + "m" + sign + "\x1b[0m" : sign;
  return std::string(indent, ' ') + painted + cut(rest, room) + "\n";
}

/// The lines that there is room for, in their order.
std::vector<const vertex_tree::line*> vertex_tree::shown(std::size_t rows) const {
  std::vector<const line*> all;
  for (auto& x : lines_)
    all.push_back(&x);
  auto excess = [&] { return all.size() > rows ? all.size() - rows : 0; };
  auto drop = [&](auto may_go) {
    auto left = excess();
    std::erase_if(all, [&](auto x) { return left > 0 && may_go(*x) && left-- > 0; });
  };
  drop([](auto& x) { return x.state == vertex_state::succeeded; });
  drop([](auto& x) { return x.state == vertex_state::skipped; });
  std::ranges::reverse(all); // What comes last may wait unseen.
  drop([](auto& x) { return x.state == vertex_state::waiting; });
  drop([](auto&) { return true; });
  std::ranges::reverse(all);
  return all;
}

std::string vertex_tree::text(const text_style& style, std::size_t rows) const {
  if (lines_.empty() || rows < 2)
    return {};
  auto fits = lines_.size() <= rows;
  auto some = shown(fits ? rows : rows - 1);
  std::string text;
  for (auto x : some)
    text += text_of(*x, style);
  if (!fits)
    text +=
        cut("  and " + std::to_string(lines_.size() - some.size()) + " more", style.width) + "\n";
  return text;
}

} // namespace troupe::node
