#include "graph_json/dot.hpp"

#include "graph_json/graph_json.hpp"
#include "tests/support/catch.hpp"

using namespace troupe;
using namespace troupe::graph_json;

TEST_CASE("a graph is drawn with kinds, joins, ports, conditions and errors", "[graph_json]") {
  auto parsed = parse_graph(R"({"name": "g", "vertices": [
    {"id": "a", "kind": "exec"}, {"id": "b", "kind": "noop", "join": {"n": 2}},
    {"id": "c", "kind": "other", "join": "any"}], "edges": [
    {"from": "a", "to": "b"}, {"from": "a", "to": "c", "from_port": "error"},
    {"from": "b", "to": "c", "to_port": "x", "when": {"path": "/s", "eq": "\"\\"}}]})");
  REQUIRE(parsed.errors.empty());
  CHECK(to_dot(parsed.spec) == R"(digraph "g" {
  rankdir=LR;
  "a" [label="a\nexec", shape=box];
  "b" [label="b\nnoop\njoin: 2", shape=ellipse];
  "c" [label="c\nother\njoin: any", shape=box];
  "a" -> "b";
  "a" -> "c" [label="error", color=red, style=dashed];
  "b" -> "c" [label="out → x\nwhen `{\"eq\":\"\\\"\\\\\",\"path\":\"/s\"}`"];
}
)");
}

TEST_CASE("no name breaks out of its quotes", "[graph_json]") {
  graph_spec graph;
  graph.name = "a\\";
  auto& v = graph.vertices.emplace_back();
  v.id = "x\"]; y [label=\"\\N\n";
  v.kind = "k\xff";
  graph.edges.push_back({v.id, "gone", "out", "in", {}});
  CHECK(to_dot(graph)
        == R"(digraph "a\\" {
  rankdir=LR;
  "x\"]; y [label=\"\\N " [label="x\"]; y [label=\"\\N \nk)"
           "\xef\xbf\xbd"
           R"(", shape=box];
  "x\"]; y [label=\"\\N " -> "gone";
}
)");
}
