#include "node/text.hpp"
#include "node/vertex_tree.hpp"
#include "tests/support/catch.hpp"
#include "troupe/graph_builder.hpp"

#include <sstream>

using namespace troupe;
using namespace troupe::node;

namespace {

graph_spec diamond() {
  graph_spec g;
  for (auto id : {"a", "b", "c", "d", "alone"}) {
    g.vertices.emplace_back();
    g.vertices.back().id = id;
  }
  for (auto [from, to] : {std::pair{"a", "b"}, {"a", "c"}, {"b", "d"}, {"c", "d"}}) {
    g.edges.emplace_back();
    g.edges.back().from = from;
    g.edges.back().to = to;
  }
  return g;
}

event make(std::string_view type, value::object data) {
  event x;
  x.type = type;
  x.data = std::move(data);
  return x;
}

std::size_t line_count_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace

TEST_CASE("each vertex stands once, below one that it waits for", "[node]") {
  vertex_tree tree{diamond()};
  CHECK(tree.text({}, 20) == ". a\n  . b\n    . d\n  . c\n. alone\n");
}

TEST_CASE("a tree shows what becomes of vertices", "[node]") {
  vertex_tree tree{diamond()};
  tree.apply(make("vertex_start", {{"vertex", "a"}, {"attempt", 1}}));
  CHECK(tree.text({}, 20).starts_with("* a\n"));
  tree.apply(make("end_vertex", {{"vertex", "a"}, {"state", "succeeded"}, {"duration_ms", 12}}));
  tree.apply(make("vertex_start", {{"vertex", "b"}, {"attempt", 2}}));
  tree.apply(make("end_vertex",
                  {{"vertex", "b"},
                   {"state", "failed"},
                   {"error", value::object{{"code", "exit_code"}, {"detail", "it\nended"}}}}));
  tree.apply(make("end_vertex", {{"vertex", "d"}, {"state", "skipped"}}));
  CHECK(tree.text({}, 20)
        == "+ a  12 ms\n  ! b (attempt 2)  exit_code: it ended\n    - d\n  . c\n. alone\n");
  tree.restart();
  CHECK(tree.text({}, 20).starts_with(". a\n  . b\n"));
}

TEST_CASE("a tree that has no room leaves out what is done, then what waits", "[node]") {
  vertex_tree tree{diamond()};
  tree.apply(make("end_vertex", {{"vertex", "a"}, {"state", "succeeded"}}));
  tree.apply(make("vertex_start", {{"vertex", "c"}, {"attempt", 1}}));
  CHECK(tree.text({}, 4) == "  . b\n    . d\n  * c\n  and 2 more\n");
  CHECK(tree.text({}, 2) == "  * c\n  and 4 more\n");
  for (std::size_t rows = 0; rows < 9; ++rows)
    CHECK(line_count_of(tree.text({}, rows)) <= rows);
}

TEST_CASE("no line of a tree is wider than the terminal", "[node]") {
  graph_spec chain;
  for (int i = 0; i < 60; ++i) {
    chain.vertices.emplace_back();
    chain.vertices.back().id = "vertex_number_" + std::to_string(i);
    if (i == 0)
      continue;
    chain.edges.emplace_back();
    chain.edges.back().from = chain.vertices[std::size_t(i) - 1].id;
    chain.edges.back().to = chain.vertices[std::size_t(i)].id;
  }
  vertex_tree tree{chain};
  for (std::size_t width = 1; width < 100; ++width) {
    std::stringstream all{tree.text({false, true, width}, 100)};
    for (std::string line; std::getline(all, line);)
      CHECK(width_of(line) <= width);
  }
}

TEST_CASE("a graph that is too large for a tree has none", "[node]") {
  graph_spec g;
  g.vertices.resize(tree_vertices_max + 1);
  CHECK(vertex_tree{g}.text({}, 50).empty());
}
