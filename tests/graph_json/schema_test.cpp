#include "graph_json/graph_json.hpp"
#include "graph_json/value_json.hpp"
#include "tests/support/catch.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace troupe;
using namespace troupe::graph_json;

namespace {

value schema() {
  std::ifstream in(std::filesystem::path{TROUPE_SOURCE_DIR} / "docs/graph.schema.json");
  std::ostringstream out;
  out << in.rdbuf();
  auto parsed = parse_value(out.str());
  REQUIRE(parsed);
  return *parsed;
}

using keys = std::set<std::string>;

/// The keys that the schema allows in an object.
keys keys_of(const value& definition) {
  CHECK(*definition.find("additionalProperties") == value{false});
  keys all;
  for (auto& [key, x] : *definition.find("properties")->members())
    all.insert(key);
  return all;
}

/// The keys that the parser names when it meets an unknown one.
keys allowed_by(std::string_view graph) {
  for (auto& p : parse_graph(graph).errors)
    if (p.code == "unknown_key") {
      keys all;
      auto list = p.detail.substr(p.detail.find("allowed: "));
      for (std::size_t begin; (begin = list.find('`')) != list.npos;) {
        auto end = list.find('`', begin + 1);
        all.insert(list.substr(begin + 1, end - begin - 1));
        list.erase(0, end + 1);
      }
      return all;
    }
  return {};
}

} // namespace

TEST_CASE("the schema allows the keys that the parser allows", "[graph_json]") {
  auto all = schema();
  auto& definitions = *all.find("$defs");
  CHECK(keys_of(all) == allowed_by(R"({"?????????": 1})"));
  CHECK(keys_of(*definitions.find("vertex")) == allowed_by(R"({"vertices": [{"?????????": 1}]})"));
  CHECK(keys_of(*definitions.find("edge")) == allowed_by(R"({"edges": [{"?????????": 1}]})"));
  CHECK(keys_of(*definitions.find("retry"))
        == allowed_by(R"({"vertices": [{"retry": {"?????????": 1}}]})"));
  CHECK(keys_of(*definitions.find("timeouts"))
        == allowed_by(R"({"vertices": [{"timeouts": {"?????????": 1}}]})"));
}

TEST_CASE("the defaults of the schema are those of the parser", "[graph_json]") {
  auto all = schema();
  value vertex = value::object{{"id", "a"}, {"kind", "noop"}};
  auto collect = [&](const char* name, value& to) {
    for (auto& [key, x] : *all.find("$defs")->find(name)->find("properties")->members())
      if (auto usual = x.find("default"))
        to[key] = *usual;
  };
  collect("vertex", vertex);
  collect("retry", vertex["retry"]);
  collect("timeouts", vertex["timeouts"]);
  CHECK(vertex.members()->size() == 8);
  auto parsed = parse_graph(to_json(value::object{{"vertices", value::list{vertex}}}));
  CHECK(parsed.errors.empty());
  CHECK(canonical_json(parsed.spec) == R"({"vertices":[{"id":"a","kind":"noop"}]})");
}
