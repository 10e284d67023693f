#include "core/graph.hpp"

#include "core/adjacency.hpp"
#include "core/graph_names.hpp"
#include "core/hash.hpp"

#include <algorithm>
#include <cassert>
#include <unordered_map>

namespace troupe::core {

namespace {

std::size_t hash_of(const vertex_spec& x) {
  hasher all;
  all(x.kind)(x.config)(x.inputs.size());
  for (auto& [name, takes] : x.inputs)
    all(name, takes);
  all(x.join.policy, x.join.count, x.on_error);
  all(x.retry.max_attempts, x.retry.base.count(), x.retry.factor, x.retry.cap.count());
  all(x.retry.jitter, x.retry.on_error, x.retry.on_timeout);
  all(x.timeouts.soft.count(), x.timeouts.hard.count(), x.pure);
  return all.result();
}

bool same_shape(const vertex_spec& a, const vertex_spec& b) {
  return a.kind == b.kind && a.inputs == b.inputs && a.join == b.join && a.on_error == b.on_error
         && a.retry == b.retry && a.timeouts == b.timeouts && a.pure == b.pure
         && a.config == b.config;
}

vertex_shape shape_of(const vertex_spec& x) {
  std::vector<input_port> ports;
  for (auto& [name, takes] : x.inputs)
    ports.push_back({name, takes});
  return {x.kind, x.config, std::move(ports), x.join, x.on_error, x.retry, x.timeouts, x.pure};
}

class compiler {
public:
  explicit compiler(const graph_spec& spec) : spec_(spec), names_(names_of(spec)) {}

  graph run(const graph_id& id) && {
    made_.id = id;
    made_.name = spec_.name;
    made_.result_is_single = spec_.result_is_single;
    add_vertices();
    add_edges();
    add_result();
    auto numbers = layer_numbers(links_, spec_.vertices.size());
    for (auto number : numbers)
      made_.layers = std::max(made_.layers, number + 1);
    return std::move(made_);
  }

private:
  /// Vertices of equal shape share it; `known` goes from the first vertex of a shape to its index.
  void add_vertices() {
    auto& all = spec_.vertices;
    auto hash = [&](vertex_index v) { return hash_of(all[v]); };
    auto equal = [&](vertex_index a, vertex_index b) { return same_shape(all[a], all[b]); };
    std::unordered_map<vertex_index, std::uint32_t, decltype(hash), decltype(equal)> known(0, hash,
                                                                                           equal);
    made_.names.reserve(all.size());
    made_.shape_of.reserve(all.size());
    for (vertex_index v = 0; v < all.size(); ++v) {
      auto next = static_cast<std::uint32_t>(made_.shapes.size());
      auto [found, is_new] = known.try_emplace(v, next);
      if (is_new)
        made_.shapes.push_back(core::shape_of(all[v]));
      made_.shape_of.push_back(found->second);
      made_.names.push_back(all[v].id);
    }
  }

  void add_edges() {
    links_.reserve(spec_.edges.size());
    for (auto& x : spec_.edges)
      links_.push_back({names_.at(x.from), names_.at(x.to)});
    auto out = grouped_by(&link::from, links_, spec_.vertices.size());
    auto conditions = conditions_of_edges();
    std::vector<edge_index> place(links_.size());
    made_.edges.reserve(links_.size());
    for (auto i : out.members) {
      place[i] = static_cast<edge_index>(made_.edges.size());
      made_.edges.push_back(edge_of(i, conditions[i]));
    }
    made_.out_begin = std::move(out.begin);
    auto in = grouped_by(&link::to, links_, spec_.vertices.size());
    for (auto& i : in.members)
      i = place[i];
    made_.incoming = std::move(in.members);
    made_.in_begin = std::move(in.begin);
  }

  /// By edge of the file: its condition. Equal ones are compiled once.
  std::vector<std::uint32_t> conditions_of_edges() {
    auto& all = spec_.edges;
    auto hash = [&](edge_index e) { return hasher{}(*all[e].when).result(); };
    auto equal = [&](edge_index a, edge_index b) { return *all[a].when == *all[b].when; };
    std::unordered_map<edge_index, std::uint32_t, decltype(hash), decltype(equal)> known(0, hash,
                                                                                         equal);
    std::vector<std::uint32_t> found(all.size(), no_index);
    for (edge_index e = 0; e < all.size(); ++e)
      if (all[e].when) {
        auto next = static_cast<std::uint32_t>(made_.conditions.size());
        auto [first, is_new] = known.try_emplace(e, next);
        if (is_new)
          add_condition(*all[e].when);
        found[e] = first->second;
      }
    return found;
  }

  void add_condition(const value& when) {
    problems none;
    auto made = condition::compile(when, "", none);
    assert(made);
    made_.conditions.push_back(std::move(*made));
  }

  edge edge_of(edge_index e, std::uint32_t when) const {
    auto& x = spec_.edges[e];
    auto [from, to] = links_[e];
    auto& ports = made_.shape(to).ports;
    auto port = std::lower_bound(ports.begin(), ports.end(), x.to_port,
                                 [](auto& a, auto& name) { return a.name < name; });
    assert(port != ports.end() && port->name == x.to_port);
    return {from, to, static_cast<std::uint16_t>(port - ports.begin()), x.from_port == "error",
            when};
  }

  void add_result() {
    for (auto& id : spec_.result)
      made_.result.push_back(names_.at(id));
    if (spec_.result.empty())
      for (vertex_index v = 0; v < made_.size(); ++v)
        if (made_.out(v).empty())
          made_.result.push_back(v);
  }

  const graph_spec& spec_;
  vertex_names names_;
  std::vector<link> links_; ///< By edge of the file.
  graph made_;
};

} // namespace

std::shared_ptr<const graph> compile(const graph_spec& spec, const graph_id& id) {
  return std::make_shared<const graph>(compiler{spec}.run(id));
}

} // namespace troupe::core
