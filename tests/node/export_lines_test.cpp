#include "graph_json/base64.hpp"
#include "graph_json/graph_json.hpp"
#include "graph_json/value_json.hpp"
#include "node/export_lines.hpp"
#include "tests/support/catch.hpp"

#include <random>

using namespace troupe;
using namespace troupe::node;

TEST_CASE("base64 reads back what it wrote, in one form only", "[node][export]") {
  std::mt19937_64 random{1};
  for (std::size_t size = 0; size < 70; ++size) {
    core::bytes data(size);
    for (auto& byte : data)
      byte = static_cast<std::uint8_t>(random());
    CHECK(*graph_json::parse_base64(graph_json::base64(data)) == data);
  }
  CHECK(graph_json::base64(core::bytes{'t', 'r', 'o', 'u'}) == "dHJvdQ==");
  for (auto wrong : {"dHJvdQ=", "dHJvdR==", "dHJv dQ=", "dHJvdQ==\n", "====", "dHJv\ndQ=", "*AAA"})
    CHECK_FALSE(graph_json::parse_base64(wrong));
}

TEST_CASE("a graph's line holds its canonical text, whatever is in it", "[node][export]") {
  auto parsed = graph_json::parse_graph(R"({"name": "g", "vertices":
    [{"id": "a", "kind": "noop", "config": {"output": "\u00e9 ,\"spec\":"}}]})");
  REQUIRE(parsed.errors.empty());
  auto text = graph_json::canonical_json(parsed.spec);
  auto id = graph_json::id_of(parsed.spec);
  auto line = graph_line(namespace_id{3}, id, text);
  CHECK(line.back() == '\n');
  line.pop_back();
  auto read = parse_graph_line(line);
  REQUIRE(read);
  CHECK(read->ns == namespace_id{3});
  CHECK(read->id == id);
  CHECK(read->canonical == text);
  auto value = graph_json::parse_value(line);
  REQUIRE(value);
  CHECK(graph_json::canonical(*value->find("spec")) == text);
  CHECK_FALSE(parse_graph_line(line.substr(1)));
  CHECK_FALSE(parse_graph_line(R"({"job":"x"})"));
}

TEST_CASE("every line is one line of JSON", "[node][export]") {
  storage::job_row job;
  job.spec.queue = "q";
  job.spec.labels["a\nb"] = "\"\xff";
  job.error = {"failed", "", "line\nbreak"};
  std::string binary_key{"\x01\xff\n", 3};
  for (auto& line : {header_line("n", 2, {}), blob_line({}, {}, 3, 0, core::bytes{1, 2, 3}),
                     job_line(job, core::bytes{1}, true), records_line({}, core::bytes{1}, false),
                     row_line({}, "q", binary_key, core::bytes{9}), end_line({1, 2, 3, 4})}) {
    CHECK(line.find('\n') == line.size() - 1);
    CHECK(graph_json::parse_value(line));
  }
  auto row = *graph_json::parse_value(row_line({}, "q", binary_key, {}));
  CHECK(*graph_json::parse_base64(*row.find("key_base64")->string())
        == core::bytes(binary_key.begin(), binary_key.end()));
}
