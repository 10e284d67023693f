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
