#include "core/graph.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <map>
#include <random>

using namespace troupe;
using namespace troupe::core;
using object = value::object;

namespace {

vertex_spec noop(std::string id) {
  vertex_spec x;
  x.id = std::move(id);
  x.kind = "noop";
  x.inputs = {{"in", arity::many}, {"error", arity::one}, {"x", arity::one}};
  return x;
}

const std::vector<std::string> kinds{"noop", "exec", "jq"};
const std::vector<std::string> ports{"error", "in", "x"}; // Sorted.

/// A graph without cycles: its edges follow a hidden order, the file has them in any.
graph_spec random_graph(std::mt19937& random) {
  graph_spec spec;
  spec.name = "random";
  auto size = 1 + random() % 12;
  for (std::size_t v = 0; v < size; ++v) {
    spec.vertices.push_back(noop("v" + std::to_string(v)));
    auto& x = spec.vertices.back();
    x.kind = kinds[random() % kinds.size()];
    x.config["n"] = static_cast<int>(random() % 3);
    x.retry.max_attempts = 1 + random() % 2;
    x.on_error = on_error_policy::route;
  }
  std::vector<std::size_t> order(size);
  for (std::size_t v = 0; v < size; ++v)
    order[v] = v;
  std::shuffle(order.begin(), order.end(), random);
  for (auto edges = random() % (3 * size); edges > 0; --edges) {
    auto a = random() % size, b = random() % size;
    if (a == b)
      continue;
    edge_spec x{spec.vertices[order[std::min(a, b)]].id,
                spec.vertices[order[std::max(a, b)]].id,
                random() % 4 ? "out" : "error",
                ports[random() % ports.size()],
                {}};
    if (random() % 2)
      x.when = object{{"eq", static_cast<int>(random() % 3)}};
    spec.edges.push_back(std::move(x));
  }
  if (random() % 2)
    spec.result = {spec.vertices[random() % size].id};
  return spec;
}

/// One edge of a compiled graph as it was written, but for its condition.
edge_spec written(const graph& g, const edge& x) {
  return {g.names[x.from],
          g.names[x.to],
          x.on_error ? "error" : "out",
          g.shape(x.to).ports[x.to_port].name,
          {}};
}

edge_spec without_when(edge_spec x) {
  x.when.reset();
  return x;
}

/// Whether the compiled condition is the written one, as far as its outputs 0, 1 and 2 can tell.
bool same_condition(const graph& g, const edge& compiled, const edge_spec& x) {
  if (!x.when)
    return compiled.when == no_index;
  for (int output : {0, 1, 2})
    if (g.conditions.at(compiled.when).holds(output) != (*x.when->find("eq") == value{output}))
      return false;
  return true;
}

/// Edges of the file that a test picks, in the order of the file.
template <class Wanted>
std::vector<edge_spec> edges_where(const graph_spec& spec, Wanted wanted) {
  std::vector<edge_spec> found;
  std::copy_if(spec.edges.begin(), spec.edges.end(), std::back_inserter(found), wanted);
  return found;
}

void require_edges(const graph_spec& spec, const graph& g, vertex_index v) {
  auto& id = spec.vertices[v].id;
  auto out = edges_where(spec, [&](auto& x) { return x.from == id; });
  auto in = edges_where(spec, [&](auto& x) { return x.to == id; });
  REQUIRE(g.out(v).size() == out.size());
  REQUIRE(g.in(v).size() == in.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    REQUIRE(written(g, g.out(v)[i]) == without_when(out[i]));
    REQUIRE(same_condition(g, g.out(v)[i], out[i]));
  }
  for (std::size_t i = 0; i < in.size(); ++i) {
    REQUIRE(written(g, g.edges[g.in(v)[i]]) == without_when(in[i]));
    REQUIRE(same_condition(g, g.edges[g.in(v)[i]], in[i]));
  }
}

void require_shape(const vertex_spec& x, const vertex_shape& shape) {
  REQUIRE(shape.kind == x.kind);
  REQUIRE(shape.config == x.config);
  REQUIRE(shape.retry == x.retry);
  REQUIRE(shape.join == x.join);
  REQUIRE(shape.on_error == x.on_error);
  REQUIRE(shape.timeouts == x.timeouts);
  REQUIRE(shape.pure == x.pure);
  REQUIRE(shape.ports.size() == x.inputs.size());
  for (auto& port : shape.ports)
    REQUIRE(port.takes == x.inputs.at(port.name));
}

/// By id: how many vertices come before it on the longest path; by repeated passes.
std::map<std::string, std::uint32_t> depths(const graph_spec& spec) {
  std::map<std::string, std::uint32_t> depth;
  for (auto& x : spec.vertices)
    depth[x.id] = 0;
  for (std::size_t pass = 0; pass < spec.vertices.size(); ++pass)
    for (auto& x : spec.edges)
      depth[x.to] = std::max(depth[x.to], depth[x.from] + 1);
  return depth;
}

std::vector<std::string> expected_result(const graph_spec& spec) {
  if (!spec.result.empty())
    return spec.result;
  std::vector<std::string> sinks;
  for (auto& v : spec.vertices)
    if (edges_where(spec, [&](auto& x) { return x.from == v.id; }).empty())
      sinks.push_back(v.id);
  return sinks;
}

void require_layers(const graph_spec& spec, const graph& g) {
  std::vector<std::vector<vertex_index>> expected;
  auto depth = depths(spec);
  for (vertex_index v = 0; v < g.size(); ++v) {
    auto at = depth[g.names[v]];
    expected.resize(std::max<std::size_t>(expected.size(), at + 1));
    expected[at].push_back(v);
  }
  REQUIRE(layers_of(g) == expected);
  REQUIRE(g.layers == expected.size());
}

/// By vertex: whether it is `first` or, by repeated passes over all edges, depends on it.
std::vector<bool> downstream(const graph_spec& spec, const graph& g, vertex_index first) {
  std::map<std::string, bool> reached{{g.names[first], true}};
  for (std::size_t pass = 0; pass < spec.vertices.size(); ++pass)
    for (auto& x : spec.edges)
      reached[x.to] = reached[x.to] || reached[x.from];
  std::vector<bool> found;
  for (auto& name : g.names)
    found.push_back(reached[name]);
  return found;
}

} // namespace

TEST_CASE("a compiled graph says what its file says", "[core]") {
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 300; ++round) {
    auto spec = random_graph(random);
    auto g = compile(spec, graph_id{});
    REQUIRE(g->size() == spec.vertices.size());
    REQUIRE(g->edges.size() == spec.edges.size());
    for (vertex_index v = 0; v < g->size(); ++v) {
      REQUIRE(g->names[v] == spec.vertices[v].id);
      require_shape(spec.vertices[v], g->shape(v));
      require_edges(spec, *g, v);
      REQUIRE(descendants_of(*g, v) == downstream(spec, *g, v));
    }
    std::vector<std::string> result;
    for (auto v : g->result)
      result.push_back(g->names[v]);
    REQUIRE(result == expected_result(spec));
    require_layers(spec, *g);
  }
}

TEST_CASE("`until` keeps what it depends on and nothing else", "[core]") {
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 200; ++round) {
    auto spec = random_graph(random);
    auto g = compile(spec, graph_id{});
    auto until = static_cast<vertex_index>(random() % g->size());
    auto part = ancestors_of(spec, g->names[until]);
    REQUIRE(part);
    std::vector<vertex_spec> kept;
    for (vertex_index v = 0; v < g->size(); ++v)
      if (descendants_of(*g, v)[until])
        kept.push_back(spec.vertices[v]);
    REQUIRE(part->vertices == kept);
    auto is_kept = [&](auto& id) {
      return std::any_of(kept.begin(), kept.end(), [&](auto& x) { return x.id == id; });
    };
    REQUIRE(part->edges
            == edges_where(spec, [&](auto& x) { return is_kept(x.from) && is_kept(x.to); }));
    auto compiled = compile(*part, graph_id{});
    REQUIRE(compiled->result.size() == 1);
    REQUIRE(compiled->names[compiled->result[0]] == g->names[until]);
  }
  CHECK_FALSE(ancestors_of(random_graph(random), "nobody"));
}

TEST_CASE("equal shapes and equal conditions are shared, others are not", "[core]") {
  graph_spec spec;
  for (auto id : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"})
    spec.vertices.push_back(noop(id));
  spec.vertices[2].kind = "jq";
  spec.vertices[3].config["output"] = 1;
  spec.vertices[4].config["output"] = 1.0;
  spec.vertices[5].inputs["in"] = arity::one;
  spec.vertices[6].join.policy = join_policy::any;
  spec.vertices[7].on_error = on_error_policy::continue_on;
  spec.vertices[8].retry.jitter = false;
  spec.vertices[9].timeouts.hard = std::chrono::seconds{1};
  spec.vertices[10].pure = false;
  value a = object{{"eq", 1}}, b = object{{"eq", 2}};
  spec.edges = {{"a", "b", "out", "in", a}, {"b", "c", "out", "in", a}, {"c", "d", "out", "in", b}};
  auto g = compile(spec, graph_id{});
  CHECK(g->shapes.size() == 10);
  CHECK(g->shape_of == std::vector<std::uint32_t>{0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(g->conditions.size() == 2);
}

TEST_CASE("a compiled graph keeps its id, its name and the form of its result", "[core]") {
  graph_spec spec{"name", {noop("a"), noop("b")}, {}, {"b"}, true};
  graph_id id;
  id.sha256[31] = 7;
  auto g = compile(spec, id);
  CHECK(g->id == id);
  CHECK(g->name == "name");
  CHECK(g->result == std::vector<vertex_index>{1});
  CHECK(g->result_is_single);
  CHECK(g->layers == 1);
}
