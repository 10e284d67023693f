#include "core/graph.hpp"
#include "tests/support/catch.hpp"
#include "troupe/limits.hpp"

using namespace troupe;
using namespace troupe::core;

// What is quadratic or recursive here takes hours or overflows the stack.

namespace {

constexpr std::size_t many = 100'000;

graph_spec vertices(std::size_t count) {
  graph_spec spec;
  spec.vertices.resize(count);
  for (std::size_t v = 0; v < count; ++v) {
    spec.vertices[v].id = "v" + std::to_string(v);
    spec.vertices[v].kind = "noop";
    spec.vertices[v].inputs["in"] = arity::many;
  }
  return spec;
}

std::string id(std::size_t v) { return "v" + std::to_string(v); }

void add_edge(graph_spec& spec, std::size_t from, std::size_t to) {
  spec.edges.push_back({id(from), id(to), "out", "in", {}});
}

graph_spec chain(std::size_t count) {
  auto spec = vertices(count);
  for (std::size_t v = 1; v < count; ++v)
    add_edge(spec, v - 1, v);
  return spec;
}

std::shared_ptr<const graph> compiled(const graph_spec& spec) {
  CHECK(check(spec, builtin_kinds()).empty());
  return compile(spec, graph_id{});
}

} // namespace

TEST_CASE("a chain of 100,000 vertices is ordinary", "[core]") {
  auto spec = chain(many);
  auto g = compiled(spec);
  CHECK(g->layers == many);
  CHECK(layers_of(*g).size() == many);
  CHECK(g->shapes.size() == 1);
  CHECK(g->result == std::vector<vertex_index>{many - 1});
  CHECK(descendants_of(*g, 0) == std::vector<bool>(many, true));
  CHECK(ancestors_of(spec, id(many - 1))->vertices.size() == many);
  CHECK(ancestors_of(spec, id(0))->edges.empty());
}

TEST_CASE("a fan-out to 100,000 vertices is ordinary", "[core]") {
  auto spec = vertices(many);
  for (std::size_t v = 1; v < many; ++v)
    add_edge(spec, 0, v);
  auto g = compiled(spec);
  CHECK(g->layers == 2);
  CHECK(g->out(0).size() == many - 1);
  CHECK(g->result.size() == many - 1);
}

TEST_CASE("a fan-in of 100,000 vertices is ordinary", "[core]") {
  auto spec = vertices(many);
  for (std::size_t v = many - 1; v > 0; --v)
    add_edge(spec, v, 0);
  auto g = compiled(spec);
  CHECK(g->layers == 2);
  REQUIRE(g->in(0).size() == many - 1);
  CHECK(g->edges[g->in(0)[0]].from == many - 1); // The order of the file.
  CHECK(g->result == std::vector<vertex_index>{0});
}

TEST_CASE("a cycle of 100,000 vertices and 100,000 of one vertex are found", "[core]") {
  auto spec = chain(many);
  add_edge(spec, many - 1, 0);
  auto found = check(spec, builtin_kinds());
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "cycle");
  CHECK(found[0].pointer == "/edges/" + std::to_string(many - 1));

  auto loops = vertices(many);
  for (std::size_t v = 0; v < many; ++v)
    add_edge(loops, v, v);
  CHECK(check(loops, builtin_kinds()).size() == limits::graph_problems_max + 1);
}

TEST_CASE("as many edges between two vertices as may have conditions are told apart", "[core]") {
  auto spec = vertices(2);
  for (std::size_t e = 1; e < limits::conditions_out_max; ++e) {
    add_edge(spec, 0, 1);
    spec.edges.back().when = value::object{{"eq", static_cast<std::int64_t>(e)}};
  }
  CHECK(compiled(spec)->conditions.size() == limits::conditions_out_max - 1);
  spec.edges.push_back(spec.edges[7]);
  auto found = check(spec, builtin_kinds());
  REQUIRE(found.size() == 1);
  CHECK(found[0].detail == "the same as /edges/7");
}

TEST_CASE("100,000 shapes and 100,000 dangling edges take linear time", "[core]") {
  auto spec = vertices(many);
  for (std::size_t v = 0; v < many; ++v)
    spec.vertices[v].config["output"] = static_cast<std::int64_t>(v);
  CHECK(compiled(spec)->shapes.size() == many);
  for (std::size_t e = 0; e < many; ++e)
    spec.edges.push_back({"w" + std::to_string(e), "v0", "out", "in", {}});
  CHECK(check(spec, builtin_kinds()).size() == limits::graph_problems_max + 1);
}

TEST_CASE("200,000 vertices in layers, each with three inputs, are checked and compiled",
          "[core]") {
  constexpr std::size_t width = 1000;
  auto spec = vertices(2 * many);
  for (std::size_t v = width; v < spec.vertices.size(); ++v)
    for (std::size_t k = 0; k < 3; ++k)
      add_edge(spec, v - v % width - width + (v + k) % width, v);
  auto g = compiled(spec);
  CHECK(g->layers == 2 * many / width);
  CHECK(g->edges.size() == 3 * (2 * many - width));
  vertex_index next = 0; // In a layer they stand as in the file.
  for (auto& layer : layers_of(*g))
    for (auto v : layer)
      if (v != next++)
        FAIL("vertex " << v << " stands in place of " << next - 1);
  CHECK(next == 2 * many);
}
