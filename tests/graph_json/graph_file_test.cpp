#include "graph_json/graph_json.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <unistd.h>

using namespace troupe;
using namespace troupe::graph_json;

namespace {

/// A file that goes when its test ends.
class scratch_file {
public:
  explicit scratch_file(const std::string& content) { std::ofstream(path) << content; }
  ~scratch_file() { std::filesystem::remove(path); }

  std::string path = std::filesystem::temp_directory_path()
                     / ("troupe-graph-" + std::to_string(getpid()) + ".json");
};

/// A chain with a fan-out of `n` vertices.
std::string graph_text(std::size_t n) {
  std::string text = R"({"name": "large", "vertices": [)";
  for (std::size_t i = 0; i < n; ++i)
    text += (i ? ",\n" : "\n") + (R"({"id": "v)" + std::to_string(i))
            + R"(", "kind": "noop", "inputs": {"in": "many"}})";
  text += "], \"edges\": [";
  for (std::size_t i = 1; i < n; ++i)
    text += (i > 1 ? ",\n" : "\n") + (R"({"from": "v)" + std::to_string(i - 1)) + R"(", "to": "v)"
            + std::to_string(i) + "\"}";
  return text + "]}";
}

} // namespace

TEST_CASE("a graph of 100,000 vertices is read and written", "[graph_json]") {
  auto parsed = parse_graph(graph_text(100'000));
  CHECK(parsed.errors.empty());
  REQUIRE(parsed.spec.vertices.size() == 100'000);
  REQUIRE(parsed.spec.edges.size() == 99'999);
  CHECK(parsed.spec.vertices[99'999].id == "v99999");
  CHECK(parsed.spec.edges[50'000].to == "v50001");
  auto text = canonical_json(parsed.spec);
  CHECK(std::count(text.begin(), text.end(), '\n') == 0);
  CHECK(text.ends_with(R"({"id":"v99999","inputs":{"in":"many"},"kind":"noop"}]})"));
}

TEST_CASE("a file gives the same graph as its text", "[graph_json]") {
  auto text = graph_text(5'000); // Some pieces.
  scratch_file file{text};
  auto from_text = parse_graph(text);
  auto from_file = parse_graph_file(file.path);
  CHECK(from_text.errors.empty());
  CHECK(from_file.errors.empty());
  REQUIRE(from_text.spec.vertices.size() == 5'000);
  CHECK((from_text.spec == from_file.spec));
}

TEST_CASE("a fault anywhere in a large file is placed as in its text", "[graph_json]") {
  auto text = graph_text(2'000);
  auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  std::vector<std::size_t> places{0, 65534, 65535, 65536, 65537, 131070, 131071, 131072, 131073};
  for (int i = 0; i < 10; ++i)
    places.push_back(random() % text.size());
  for (auto at : places) {
    auto broken = text;
    broken[at] = '\x01'; // Nowhere allowed, whatever surrounds it.
    scratch_file file{broken};
    auto from_text = parse_graph(broken).errors;
    CAPTURE(at, from_text.at(0).detail);
    REQUIRE(from_text.at(0).code == "syntax");
    REQUIRE(from_text.at(0).detail.find("(byte " + std::to_string(at) + ")") != std::string::npos);
    REQUIRE(parse_graph_file(file.path).errors == from_text);
  }
}

TEST_CASE("a file that cannot be read is told as such", "[graph_json]") {
  auto missing = parse_graph_file("/nowhere/graph.json").errors;
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].code == "io_failed");
  CHECK(missing[0].detail == "/nowhere/graph.json: No such file or directory");
  auto folder = parse_graph_file("/tmp").errors;
  REQUIRE(folder.size() == 1);
  CHECK(folder[0].code == "io_failed");
  CHECK(folder[0].detail.find("Is a directory") != std::string::npos);
}
