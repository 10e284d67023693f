#include "graph_json/graph_json.hpp"
#include "graph_json/value_json.hpp"
#include "node/set_option.hpp"
#include "tests/support/catch.hpp"

using namespace troupe;
using namespace troupe::node;

namespace {

graph_spec graph() {
  auto parsed = graph_json::parse_graph(R"({"vertices": [
    {"id": "a", "kind": "exec", "config": {"argv": ["echo", "x"], "env": {"A": "1"}}},
    {"id": "a.env", "kind": "noop"},
    {"id": "b:1", "kind": "delay", "config": {"for": "1s"}}]})");
  REQUIRE(parsed.errors.empty());
  return parsed.spec;
}

std::string config_of(const graph_spec& g, std::size_t vertex) {
  return graph_json::to_json(g.vertices[vertex].config);
}

fault fault_of(const std::optional<trouble>& x) {
  REQUIRE(x);
  for (unsigned i = 0; i <= static_cast<unsigned>(last(fault{})); ++i)
    if (&kind_of(fault(i)) == x->kind)
      return fault(i);
  FAIL("no fault");
  return {};
}

} // namespace

TEST_CASE("--set takes JSON, and any other text as a string", "[node]") {
  auto g = graph();
  CHECK_FALSE(apply_set(g, "b:1.for=2s"));
  CHECK(config_of(g, 2) == R"({"for":"2s"})");
  CHECK_FALSE(apply_set(g, "b:1.for=null"));
  CHECK(config_of(g, 2) == R"({"for":null})");
  CHECK_FALSE(apply_set(g, R"(b:1.for={"n": [1.0, "x"]})"));
  CHECK(config_of(g, 2) == R"({"for":{"n":[1,"x"]}})");
  CHECK_FALSE(apply_set(g, "b:1.for="));
  CHECK(config_of(g, 2) == R"({"for":""})");
}

TEST_CASE("--set splits at the first equals sign", "[node]") {
  auto g = graph();
  CHECK_FALSE(apply_set(g, "b:1.for=a=b"));
  CHECK(config_of(g, 2) == R"({"for":"a=b"})");
}

TEST_CASE("--set follows and makes objects, and replaces elements of lists", "[node]") {
  auto g = graph();
  CHECK_FALSE(apply_set(g, "b:1.x.y.z=1"));
  CHECK(config_of(g, 2) == R"({"for":"1s","x":{"y":{"z":1}}})");
  CHECK_FALSE(apply_set(g, "a.argv.1=\"true\""));
  CHECK(config_of(g, 0) == R"({"argv":["echo","true"],"env":{"A":"1"}})");
}

TEST_CASE("--set gives the value to the longest vertex id that fits", "[node]") {
  auto g = graph();
  CHECK_FALSE(apply_set(g, "a.env.A=2"));
  CHECK(config_of(g, 1) == R"({"A":2})");
  CHECK(config_of(g, 0) == R"({"argv":["echo","x"],"env":{"A":"1"}})");
}

TEST_CASE("--set refuses what it cannot place, and changes nothing", "[node]") {
  auto g = graph();
  CHECK(fault_of(apply_set(g, "a")) == fault::bad_set);
  CHECK(fault_of(apply_set(g, "a=1")) == fault::bad_set);
  CHECK(fault_of(apply_set(g, "c.x=1")) == fault::unknown_vertex);
  CHECK(fault_of(apply_set(g, "a.argv.2=1")) == fault::bad_set);
  CHECK(fault_of(apply_set(g, "a.argv.x=1")) == fault::bad_set);
  CHECK(fault_of(apply_set(g, "b:1.for.x=1")) == fault::bad_set);
  CHECK(fault_of(apply_set(g, "b:1.=1")) == fault::bad_set);
  CHECK(g == graph());
}

TEST_CASE("an unknown vertex is named with the one that was likely meant", "[node]") {
  auto g = graph();
  CHECK_FALSE(check_vertex(g, "b:1"));
  auto wrong = check_vertex(g, "a.evn");
  CHECK(fault_of(wrong) == fault::unknown_vertex);
  CHECK(wrong->what.find("a.env") != std::string::npos);
}
