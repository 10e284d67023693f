#include "graph_json/svg.hpp"

#include "graph_json/graph_json.hpp"
#include "tests/support/catch.hpp"

#include <map>
#include <regex>

using namespace troupe;
using namespace troupe::graph_json;

namespace {

std::string svg_of(const std::string& text) {
  auto parsed = parse_graph(text);
  REQUIRE(parsed.errors.empty());
  return to_svg(parsed.spec);
}

struct place {
  int x = 0, y = 0, width = 0, height = 0;
};

/// Where the box of each vertex lies.
std::map<std::string, place> boxes_of(const std::string& svg) {
  static const std::regex box{
      "<rect x=\"(-?\\d+)\" y=\"(-?\\d+)\" width=\"(\\d+)\" height=\"(\\d+)\" "
      "rx=\"5\"/><text class=\"id\"[^>]*>([^<]*)<"};
  std::map<std::string, place> all;
  for (std::sregex_iterator at{svg.begin(), svg.end(), box}, end; at != end; ++at)
    all[(*at)[5]] = {std::stoi((*at)[1]), std::stoi((*at)[2]), std::stoi((*at)[3]),
                     std::stoi((*at)[4])};
  return all;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

} // namespace

TEST_CASE("an SVG has each vertex behind those that it waits for, and none upon another",
          "[graph_json]") {
  auto svg = svg_of(R"({"name": "g", "vertices": [
    {"id": "d", "kind": "noop"}, {"id": "a", "kind": "exec"}, {"id": "b", "kind": "noop"},
    {"id": "c", "kind": "jq", "join": "any"}, {"id": "alone", "kind": "noop"}], "edges": [
    {"from": "a", "to": "b"}, {"from": "a", "to": "c", "from_port": "error"},
    {"from": "b", "to": "c"}, {"from": "c", "to": "d", "when": {"eq": "<&>"}}]})");
  auto boxes = boxes_of(svg);
  REQUIRE(boxes.size() == 5);
  for (auto [from, to] : {std::pair{"a", "b"}, {"a", "c"}, {"b", "c"}, {"c", "d"}})
    CHECK(boxes[from].x + boxes[from].width < boxes[to].x);
  for (auto& [one, x] : boxes)
    for (auto& [other, y] : boxes)
      if (one != other && x.x == y.x)
        CHECK((x.y + x.height < y.y || y.y + y.height < x.y));
  CHECK(count(svg, "marker-end") == 4);
  CHECK(count(svg, "<g class=\"error\">") == 1);
  CHECK(svg.find("join: any") != svg.npos);
  CHECK(svg.find("when `{\"eq\":\"&lt;&amp;>\"}`") != svg.npos);
  CHECK(count(svg, "<g") == count(svg, "</g>"));
}

TEST_CASE("the order within a layer follows what comes before", "[graph_json]") {
  auto boxes = boxes_of(svg_of(R"({"vertices": [
    {"id": "a1", "kind": "noop"}, {"id": "a2", "kind": "noop"}, {"id": "a3", "kind": "noop"},
    {"id": "b3", "kind": "noop"}, {"id": "b2", "kind": "noop"}, {"id": "b1", "kind": "noop"}],
    "edges": [{"from": "a1", "to": "b1"}, {"from": "a2", "to": "b2"},
              {"from": "a3", "to": "b3"}]})"));
  auto before = [&](const char* x, const char* y) { return boxes[x].y < boxes[y].y; };
  CHECK(before("a1", "a2") == before("b1", "b2"));
  CHECK(before("a2", "a3") == before("b2", "b3"));
  CHECK(boxes["a1"].y == boxes["b1"].y);
}

TEST_CASE("long texts are cut where they are drawn, not in what is told of them", "[graph_json]") {
  std::string id(100, 'v');
  auto svg = svg_of(R"({"vertices": [{"id": ")" + id + R"(", "kind": "noop"}], "edges": []})");
  CHECK(svg.find("<title>" + id + "; noop</title>") != svg.npos);
  CHECK(svg.find(">" + std::string(40, 'v') + "…<") != svg.npos);
}
