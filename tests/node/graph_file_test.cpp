#include "node/graph_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <algorithm>

using namespace troupe;

namespace {

std::vector<std::string> pointers_of(const std::string& text) {
  tests::temp_dir directory;
  auto file = directory.path() / "g.json";
  std::ofstream{file} << text;
  auto read = node::read_graph_file(file.string());
  REQUIRE(read);
  std::vector<std::string> pointers;
  for (auto& x : read->errors)
    pointers.push_back(x.pointer);
  std::ranges::sort(pointers);
  return pointers;
}

using list = std::vector<std::string>;

} // namespace

TEST_CASE("what is wrong with shape and meaning is told at once", "[node]") {
  CHECK(pointers_of(R"({"vertices": [{"id": "a", "kind": "exc"},
                                     {"id": "b", "kind": "noop", "extra": 1}],
                        "edges": [{"from": "a", "to": "x"}, {"from": "a", "to": "b", "oops": 1}]})")
        == list{"/edges/0/to", "/edges/1/oops", "/vertices/0/kind", "/vertices/1/extra"});
}

TEST_CASE("a wrong key beside the vertices hides nothing in them", "[node]") {
  CHECK(pointers_of(R"({"name": 1, "zz": 1, "vertices": [{"id": "a", "kind": "exc"}],
                        "edges": [{"from": "a", "to": "x"}]})")
        == list{"/edges/0/to", "/name", "/vertices/0/kind", "/zz"});
  CHECK(pointers_of(R"({"vertices": 1, "edges": []})") == list{"/vertices"});
}

TEST_CASE("a vertex without a sure name makes no edge dangle", "[node]") {
  CHECK(pointers_of(R"({"vertices": [{"id": "no name", "kind": "noop"}, {"id": "b", "kind": "x"}],
                        "edges": [{"from": "no name", "to": "b"}]})")
        == list{"/edges/0/from", "/vertices/0/id", "/vertices/1/kind"});
}

TEST_CASE("an id that is no name is known all the same", "[node]") {
  CHECK(pointers_of(R"({"vertices": [{"id": "a", "kind": "noop"}, {"id": "b b", "kind": "noop"}],
                        "edges": [{"from": "a", "to": "z"}, {"from": "a", "to": "a"}]})")
        == list{"/edges/0/to", "/edges/1", "/vertices/1/id"});
}

TEST_CASE("an id that is not known hides only edges with ends that are not known", "[node]") {
  for (auto vertex : {R"({"kind": "noop"})", R"({"id": 7, "kind": "noop"})", "7"}) {
    auto found =
        pointers_of(R"({"vertices": [{"id": "a", "kind": "noop"}, )" + std::string{vertex} + R"(],
        "edges": [{"from": "a", "to": "z"}, {"from": "a", "to": "a"}, {"from": "a", "to": "a",
                   "from_port": "oops"}, {"to": "a"}, {"from": "a", "when": {"oops": 1}}],
        "result": "z"})");
    INFO(vertex);
    list edges;
    std::ranges::copy_if(found, std::back_inserter(edges),
                         [](auto& x) { return x.starts_with("/edges/"); });
    CHECK(edges
          == list{"/edges/1", "/edges/2/from_port", "/edges/3", "/edges/4", "/edges/4/when/oops"});
    CHECK(std::ranges::count(found, "/result") == 0);
  }
}

TEST_CASE("what is wrong with the shape of a vertex hides nothing else of it", "[node]") {
  CHECK(pointers_of(R"({"vertices": [{"id": "a", "kind": "noop"},
      {"id": "a", "kind": "exc", "extra": 1}, {"id": "a"}, {"id": "b", "kind": "exec",
       "config": []}, {"id": "c", "kind": "noop", "join": {}}]})")
        == list{"/vertices/1/extra", "/vertices/1/id", "/vertices/1/kind", "/vertices/2",
                "/vertices/2/id", "/vertices/3/config", "/vertices/4/join"});
}

TEST_CASE("edges that were not understood make no count of them wrong", "[node]") {
  auto join = [](const char* edges) {
    return pointers_of(R"({"vertices": [{"id": "a", "kind": "noop"},
        {"id": "b", "kind": "exc", "join": {"n": 2}}], "edges": )"
                       + std::string{edges} + "}");
  };
  CHECK(join("7") == list{"/edges", "/vertices/1/kind"});
  CHECK(join(R"([{"from": "a", "to": "b"}, {"from": "a"}])")
        == list{"/edges/1", "/vertices/1/kind"});
  CHECK(join(R"([{"from": "a", "to": "b"}])") == list{"/vertices/1/join/n", "/vertices/1/kind"});
}

TEST_CASE("a text without vertices, or with a key twice, hides nothing of the rest", "[node]") {
  CHECK(pointers_of(R"({"name": "b b", "edges": [{"from": "a", "to": "b", "from_port": "oops"}]})")
        == list{"", "/edges/0/from_port", "/name"});
  CHECK(pointers_of(R"({"name": "g", "name": "g", "vertices": [{"id": "a", "kind": "exc"}]})")
        == list{"", "/vertices/0/kind"});
}
