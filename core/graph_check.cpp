#include "core/adjacency.hpp"
#include "core/edge_check.hpp"
#include "core/graph.hpp"
#include "core/graph_names.hpp"
#include "core/json_pointer.hpp"
#include "core/names.hpp"
#include "core/problem_list.hpp"
#include "core/vertex_check.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <string>
#include <unordered_set>

namespace troupe::core {

namespace {

/// Looks at a whole graph. Each step works on what the steps before it found usable.
class checker {
public:
  checker(const graph_spec& spec, const kind_catalog& kinds) : spec_(spec), kinds_(kinds) {}

  problems run() && {
    if (!check_sizes())
      return std::move(found_).take();
    names_ = names_of(spec_);
    check_name();
    check_vertices();
    check_programs();
    edges_ = check_edges(spec_, names_, found_);
    check_joins();
    check_result();
    check_cycles();
    return std::move(found_).take();
  }

private:
  /// A graph that is too large is not looked at any further.
  bool check_sizes() {
    if (spec_.vertices.empty())
      found_.add("no_vertices", "/vertices", "a graph has at least one vertex");
    check_count("too_many", "/vertices", spec_.vertices.size(), limits::graph_vertices_max);
    check_count("too_many", "/edges", spec_.edges.size(), limits::graph_edges_max);
    return spec_.vertices.size() <= limits::graph_vertices_max
           && spec_.edges.size() <= limits::graph_edges_max;
  }

  void check_count(const char* code, const char* pointer, std::size_t count, std::size_t most) {
    if (count > most)
      found_.add(code, pointer, std::to_string(count) + "; at most " + std::to_string(most));
  }

  void check_name() {
    if (!spec_.name.empty() && !is_name(spec_.name))
      found_.add("bad_name", "/name", name_rule("the name of a graph", spec_.name));
  }

  void check_vertices() {
    for (std::size_t v = 0; v < spec_.vertices.size(); ++v) {
      auto& x = spec_.vertices[v];
      auto pointer = at("/vertices", v);
      check_vertex(x, kinds_, pointer, found_);
      if (auto first = names_.find(x.id); first != names_.end() && first->second != v)
        found_.add("duplicate_id", at(pointer, "id"),
                   quoted(x.id) + " is the id of " + at("/vertices", first->second) + ", too");
    }
  }

  /// Counts distinct jq programs; each costs a compilation in every helper process.
  void check_programs() {
    std::unordered_set<std::string_view> programs;
    for (std::size_t v = 0; v < spec_.vertices.size(); ++v) {
      auto& x = spec_.vertices[v];
      auto program = x.kind == "jq" ? x.config.find("program") : nullptr;
      if (!program || !program->string() || !programs.insert(*program->string()).second
          || programs.size() != limits::graph_jq_programs_max + 1)
        continue;
      return found_.add("too_many", at("/vertices", v, "config", "program"),
                        "a graph has at most " + std::to_string(limits::graph_jq_programs_max)
                            + " distinct jq programs; let vertices share them");
    }
  }

  void check_joins() {
    for (std::size_t v = 0; v < spec_.vertices.size(); ++v) {
      auto& join = spec_.vertices[v].join;
      auto inputs = edges_.incoming[v];
      if (join.policy == join_policy::n && (join.count == 0 || join.count > inputs))
        found_.add("out_of_range", at("/vertices", v, "join", "n"),
                   inputs == 0 ? "a join by `n` needs edges, and none leads to "
                                     + quoted(spec_.vertices[v].id)
                               : "`n` is " + std::to_string(join.count) + " and has to lie in 1…"
                                     + std::to_string(inputs) + ", as " + std::to_string(inputs)
                                     + " edges lead to " + quoted(spec_.vertices[v].id));
    }
  }

  void check_result() {
    if (spec_.result_is_single && spec_.result.size() != 1)
      found_.add("out_of_range", "/result", "a single result is the name of one vertex");
    std::unordered_set<std::string_view> seen;
    for (std::size_t i = 0; i < spec_.result.size(); ++i) {
      auto& id = spec_.result[i];
      auto pointer = spec_.result_is_single ? "/result" : at("/result", i);
      if (!names_.contains(id))
        found_.add("unknown_vertex", pointer, found_.full() ? "" : no_vertex(spec_, id));
      else if (!seen.insert(id).second)
        found_.add("duplicate_result", pointer, quoted(id) + " stands in the result twice");
    }
  }

  void check_cycles() {
    for (auto& way : cycles_in(edges_.links, spec_.vertices.size()))
      found_.add("cycle", at("/edges", edges_.places[way.back()]),
                 found_.full() ? "" : described(way));
  }

  /// The vertices of a cycle, the first one again at the end, and the way out.
  std::string described(const cycle& way) const {
    auto name = [&](std::uint32_t i) { return spec_.vertices[edges_.links[i].from].id; };
    std::string text;
    auto shown = std::min(way.size(), limits::cycle_names_max);
    for (std::size_t i = 0; i < shown; ++i)
      text += name(way[i]) + " -> ";
    if (shown < way.size())
      text += "(" + std::to_string(way.size() - shown) + " more) -> ";
    return "a cycle: " + text + name(way.front()) + "; take one of these edges out";
  }

  problem_list found_;
  const graph_spec& spec_;
  const kind_catalog& kinds_;
  vertex_names names_;
  checked_edges edges_;
};

} // namespace

problems check(const graph_spec& spec, const kind_catalog& kinds) {
  return checker{spec, kinds}.run();
}

} // namespace troupe::core
