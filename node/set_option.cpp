#include "node/set_option.hpp"

#include "core/names.hpp"
#include "graph_json/value_json.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::node {

namespace {

/// The vertex whose id, followed by a dot, `path` begins with; the longest one.
vertex_spec* owner_of(graph_spec& graph, std::string_view path) {
  vertex_spec* found = nullptr;
  for (auto& v : graph.vertices)
    if (path.size() > v.id.size() && path.starts_with(v.id) && path[v.id.size()] == '.'
        && (!found || v.id.size() > found->id.size()))
      found = &v;
  return found;
}

/// JSON as a graph's file would give it, else the text itself.
value value_of(const std::string& text) {
  auto parsed = graph_json::parse_value(text);
  if (!parsed)
    return text;
  auto normal = graph_json::parse_value(graph_json::canonical(*parsed));
  return normal ? *normal : *parsed;
}

std::vector<std::string> steps_of(std::string_view path) {
  std::vector<std::string> steps;
  for (std::size_t begin = 0; begin <= path.size();) {
    auto end = std::min(path.find('.', begin), path.size());
    steps.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return steps;
}

/// The place of one step below `at`, made if an object lacks it; null if there can be none.
value* step_down(value& at, const std::string& step) {
  if (step.empty())
    return nullptr;
  if (auto items = at.items()) {
    std::size_t index = 0;
    auto [end, wrong] = std::from_chars(step.data(), step.data() + step.size(), index);
    auto is_index = wrong == std::errc{} && end == step.data() + step.size();
    return is_index && index < items->size() ? &(*items)[index] : nullptr;
  }
  return at.is_null() || at.members() ? &at[step] : nullptr;
}

} // namespace

std::optional<trouble> apply_set(graph_spec& to, const std::string& text) {
  auto equals = text.find('=');
  auto path = std::string_view{text}.substr(0, equals);
  if (equals == text.npos || path.find('.') == path.npos)
    return trouble{fault::bad_set, "--set " + core::quoted(text) + " is not VERTEX.KEY=VALUE"};
  auto vertex = owner_of(to, path);
  if (!vertex)
    return trouble{fault::unknown_vertex,
                   "--set " + core::quoted(text) + ": no vertex of the graph has this name"};
  auto at = &vertex->config;
  for (auto& step : steps_of(path.substr(vertex->id.size() + 1))) {
    at = step_down(*at, step);
    if (!at)
      return trouble{fault::bad_set, "--set " + core::quoted(text) + ": there is no place for "
                                         + core::quoted(step) + " in the config of "
                                         + core::quoted(vertex->id)};
  }
  *at = value_of(text.substr(equals + 1));
  return {};
}

std::optional<trouble> check_vertex(const graph_spec& graph, const std::string& id) {
  std::vector<std::string_view> names;
  for (auto& v : graph.vertices) {
    if (v.id == id)
      return {};
    names.push_back(v.id);
  }
  return trouble{fault::unknown_vertex,
                 "the graph has no vertex " + core::quoted(id) + core::did_you_mean(id, names)};
}

} // namespace troupe::node
