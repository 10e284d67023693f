#include "node/run_plan.hpp"

#include "core/graph.hpp"
#include "graph_json/graph_json.hpp"
#include "node/progress.hpp"
#include "node/text.hpp"

#include <algorithm>

namespace troupe::node {

namespace {

constexpr std::size_t names_shown_max = 20; ///< Of one layer.

std::vector<bool> runs_of(const core::graph& g, const std::optional<std::string>& from) {
  if (!from)
    return std::vector<bool>(g.size(), true);
  auto at = std::ranges::find(g.names, *from) - g.names.begin();
  return core::descendants_of(g, static_cast<core::vertex_index>(at));
}

std::string layer_text(const value::list& layer) {
  std::string text;
  for (std::size_t i = 0; i < layer.size() && i < names_shown_max; ++i)
    text += (i > 0 ? ", " : "") + *layer[i].string();
  if (layer.size() > names_shown_max)
    text += ", +" + std::to_string(layer.size() - names_shown_max) + " more";
  return text;
}

} // namespace

value plan_of(const graph_spec& graph, const std::optional<std::string>& from) {
  auto id = graph_json::id_of(graph);
  auto compiled = core::compile(graph, id);
  auto runs = runs_of(*compiled, from);
  value::list layers;
  for (auto& layer : core::layers_of(*compiled)) {
    value::list names;
    for (auto v : layer)
      if (runs[v])
        names.emplace_back(compiled->names[v]);
    if (!names.empty())
      layers.emplace_back(std::move(names));
  }
  auto running = std::ranges::count(runs, true);
  return value::object{{"graph", to_string(id)},
                       {"name", graph.name},
                       {"vertices", static_cast<std::int64_t>(graph.vertices.size())},
                       {"edges", static_cast<std::int64_t>(graph.edges.size())},
                       {"runs", std::int64_t{running}},
                       {"reused", static_cast<std::int64_t>(graph.vertices.size()) - running},
                       {"layers", std::move(layers)}};
}

std::string plan_text(const value& plan) {
  auto name = text_of(plan, "name");
  auto runs = static_cast<std::size_t>(number_of(plan, "runs"));
  auto text =
      (name.empty() ? "" : std::string{name} + ": ") + counted(runs, "vertex") + " would run";
  if (auto reused = number_of(plan, "reused"); reused > 0)
    text += ", " + std::to_string(reused) + " would be reused";
  text += "\n";
  std::size_t number = 0;
  for (auto& layer : *plan.find("layers")->items())
    text += "layer " + std::to_string(++number) + " (" + std::to_string(layer.items()->size())
            + "): " + layer_text(*layer.items()) + "\n";
  return text;
}

} // namespace troupe::node
