#include "core/edge_check.hpp"

#include "core/condition.hpp"
#include "core/hash.hpp"
#include "core/json_pointer.hpp"
#include "core/names.hpp"
#include "core/vertex_check.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>

namespace troupe::core {

namespace {

constexpr std::string_view from_ports[] = {"out", "error"};

class edge_checker {
public:
  edge_checker(const graph_spec& spec, const vertex_names& names, problem_list& found)
      : spec_(spec), names_(names), found_(found) {}

  checked_edges run() && {
    made_.links.reserve(spec_.edges.size());
    made_.places.reserve(spec_.edges.size());
    made_.incoming.resize(spec_.vertices.size());
    for (std::uint32_t e = 0; e < spec_.edges.size(); ++e)
      check(spec_.edges[e], e);
    compare(between_the_same());
    return std::move(made_);
  }

private:
  using vertex = std::optional<std::uint32_t>;

  void check(const edge_spec& x, std::uint32_t e) {
    auto from = find_end(x.from, e, "from"), to = find_end(x.to, e, "to");
    check_from_port(x, from, e);
    if (to)
      check_to_port(x, *to, e);
    if (x.when)
      check_when(*x.when, e);
    if (x.when && from && ++conditions_[*from] == limits::conditions_out_max + 1)
      found_.add("too_many", at("/edges", e, "when"),
                 "at most " + std::to_string(limits::conditions_out_max)
                     + " edges from one vertex have conditions");
    if (to)
      ++made_.incoming[*to];
    if (!from || !to)
      return;
    made_.links.push_back({*from, *to});
    made_.places.push_back(e);
  }

  vertex find_end(const std::string& id, std::uint32_t e, const char* key) {
    if (auto vertex = names_.find(id); vertex != names_.end())
      return vertex->second;
    found_.add("unknown_vertex", at("/edges", e, key), found_.full() ? "" : no_vertex(spec_, id));
    return {};
  }

  void check_from_port(const edge_spec& x, vertex from, std::uint32_t e) {
    auto pointer = [&] { return at("/edges", e, "from_port"); };
    if (x.from_port != from_ports[0] && x.from_port != from_ports[1])
      found_.add("unknown_port", pointer(),
                 "no output port " + quoted(x.from_port) + "; known are " + listed(from_ports)
                     + did_you_mean(x.from_port, from_ports));
    else if (x.from_port == "error" && from
             && spec_.vertices[*from].on_error != on_error_policy::route)
      found_.add("unknown_port", pointer(),
                 quoted(x.from) + " has the port `error` only with `\"on_error\": \"route\"`");
  }

  void check_to_port(const edge_spec& x, std::uint32_t to, std::uint32_t e) {
    auto& ports = spec_.vertices[to].inputs;
    if (ports.contains(x.to_port))
      return;
    std::vector<std::string_view> known;
    for (auto& [name, takes] : ports)
      if (known.size() < limits::suggestions_max)
        known.push_back(name);
    found_.add("unknown_port", at("/edges", e, "to_port"),
               quoted(x.to) + " has no input port " + quoted(x.to_port) + "; it has "
                   + (known.empty() ? "none" : listed(known)) + did_you_mean(x.to_port, known));
  }

  void check_when(const value& when, std::uint32_t e) {
    auto pointer = at("/edges", e, "when");
    problems wrong;
    if (is_too_deep(when))
      return found_.add("too_deep", pointer,
                        "lists and objects lie in each other at most "
                            + std::to_string(limits::value_depth_max) + " deep");
    condition::compile(when, pointer, wrong);
    found_.add(std::move(wrong));
  }

  /// Links that have another with the same two ends. An ordinary graph has none, and then looking
  /// for repetitions ends here.
  std::vector<std::uint32_t> between_the_same() const {
    constexpr auto none = std::numeric_limits<std::uint32_t>::max();
    auto out = grouped_by(&link::from, made_.links, spec_.vertices.size());
    std::vector<std::uint32_t> last_to(spec_.vertices.size(), none), found;
    for (std::uint32_t v = 0; v < spec_.vertices.size(); ++v)
      for (auto i : out.of(v)) {
        auto& last = last_to[made_.links[i].to];
        if (last != none && made_.links[last].from == v)
          found.insert(found.end(), {last, i});
        last = i;
      }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

  void compare(const std::vector<std::uint32_t>& links) {
    auto edge_of = [this](std::uint32_t i) -> auto& { return spec_.edges[made_.places[i]]; };
    auto hash = [&](std::uint32_t i) {
      auto& x = edge_of(i);
      hasher all;
      all(made_.links[i].from, made_.links[i].to, x.from_port, x.to_port);
      return x.when ? all(*x.when).result() : all.result();
    };
    auto equal = [&](std::uint32_t a, std::uint32_t b) { return edge_of(a) == edge_of(b); };
    std::unordered_set<std::uint32_t, decltype(hash), decltype(equal)> seen(links.size(), hash,
                                                                            equal);
    for (auto i : links)
      if (auto [first, is_new] = seen.insert(i); !is_new)
        found_.add("duplicate_edge", at("/edges", made_.places[i]),
                   "the same as " + at("/edges", made_.places[*first]));
  }

  const graph_spec& spec_;
  const vertex_names& names_;
  problem_list& found_;
  checked_edges made_;
  std::unordered_map<std::uint32_t, std::size_t> conditions_; ///< Edges with them, by their vertex.
};

} // namespace

checked_edges check_edges(const graph_spec& spec, const vertex_names& names, problem_list& found) {
  return edge_checker{spec, names, found}.run();
}

std::string no_vertex(const graph_spec& spec, const std::string& id) {
  std::vector<std::string_view> known;
  for (auto& x : spec.vertices)
    if (known.size() < limits::suggestions_max)
      known.push_back(x.id);
    else
      break;
  return "no vertex " + quoted(id) + did_you_mean(id, known);
}

} // namespace troupe::core
