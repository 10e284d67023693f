#pragma once

#include "core/condition.hpp"
#include "core/kind_catalog.hpp"
#include "troupe/graph_spec.hpp"
#include "troupe/ids.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace troupe::core {

using vertex_index = std::uint32_t; ///< In the order of the file.
using edge_index = std::uint32_t;   ///< In the order of `graph::edges`.

inline constexpr std::uint32_t no_index = 0xffff'ffff;

struct input_port {
  std::string name;
  arity takes = arity::one;

  bool operator==(const input_port&) const = default;
};

/// What a vertex is, apart from its edges. Equal shapes are shared by vertices.
struct vertex_shape {
  std::string kind;
  value config;
  std::vector<input_port> ports; ///< Sorted by name.
  join_spec join;
  on_error_policy on_error = on_error_policy::fail_job;
  retry_spec retry;
  timeouts_spec timeouts;
  std::optional<bool> pure;

  bool operator==(const vertex_shape&) const = default;
};

struct edge {
  vertex_index from = 0, to = 0;
  std::uint16_t to_port = 0;     ///< Index into the ports of `to`.
  bool on_error = false;         ///< Carries the problem object of a failed `from`.
  std::uint32_t when = no_index; ///< Index into `graph::conditions`.
};

/// A graph ready to run: compact arrays, edges grouped by their source (CSR) in the order of the
/// file, each vertex's incoming edges in the order of the file, too. Immutable.
struct graph {
  graph_id id;
  std::string name;
  std::vector<std::string> names;      ///< Of vertices.
  std::vector<std::uint32_t> shape_of; ///< By vertex: index into `shapes`.
  std::vector<vertex_shape> shapes;
  std::vector<condition> conditions;
  std::vector<edge> edges;           ///< Grouped by `from`.
  std::vector<edge_index> out_begin; ///< Size: vertices + 1.
  std::vector<edge_index> incoming;  ///< Indices into `edges`, grouped by `to`.
  std::vector<edge_index> in_begin;  ///< Size: vertices + 1.
  std::vector<vertex_index> result;  ///< Whose outputs are the result, in order.
  bool result_is_single = false;
  std::uint32_t layers = 0; ///< Vertices on the longest path.

  vertex_index size() const noexcept { return static_cast<vertex_index>(names.size()); }
  const vertex_shape& shape(vertex_index v) const noexcept { return shapes[shape_of[v]]; }
  std::span<const edge> out(vertex_index v) const noexcept {
    return {edges.data() + out_begin[v], edges.data() + out_begin[v + 1]};
  }
  std::span<const edge_index> in(vertex_index v) const noexcept {
    return {incoming.data() + in_begin[v], incoming.data() + in_begin[v + 1]};
  }
};

/// Reports everything that is wrong with `spec`, each with a JSON Pointer into the graph's JSON:
/// unknown kind, key or port, duplicate id, dangling edge, a cycle named vertex by vertex, limits.
/// At most `limits::graph_problems_max`, then one, `more_problems`, that counts the rest. Linear.
problems check(const graph_spec& spec, const kind_catalog& kinds);

/// Compiles a graph that `check` found nothing wrong with, whichever kinds are known by now.
std::shared_ptr<const graph> compile(const graph_spec& spec, const graph_id& id);

/// The vertices of each layer: those whose inputs all lie in layers before it. Only information;
/// a vertex starts as soon as its inputs are there.
std::vector<std::vector<vertex_index>> layers_of(const graph& g);

/// Keeps `until` and all it depends on; the output of `until`, by then the only sink, is the
/// result. Nothing if there is no such vertex. Cycles do no harm.
std::optional<graph_spec> ancestors_of(const graph_spec& spec, const std::string& until);

/// By vertex: whether it is `from` or depends on it.
std::vector<bool> descendants_of(const graph& g, vertex_index from);

} // namespace troupe::core
