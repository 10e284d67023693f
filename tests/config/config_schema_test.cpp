#include "graph_json/value_json.hpp"
#include "node/config/parse_config.hpp"
#include "node/config/settings.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>

using namespace troupe;
using namespace troupe::node;

namespace {

const std::string root{TROUPE_SOURCE_DIR};

value read_json(const std::string& file) {
  auto parsed = graph_json::parse_value(tests::read_file(root + file));
  REQUIRE(parsed);
  return *parsed;
}

/// The words of JSON Schema that the configuration's schema uses.
class validator {
public:
  explicit validator(value schema) : schema_(std::move(schema)) {}

  bool accepts(const value& x) const { return accepts(schema_, x); }

private:
  bool accepts(const value& schema, const value& x) const {
    for (auto& [word, arg] : *schema.members())
      if (!holds(word, arg, schema, x))
        return false;
    return true;
  }

  /// One word of a schema, in a table.
  bool holds(const std::string& word, const value& arg, const value& schema, const value& x) const {
    if (word == "$ref")
      return accepts(*schema_.find("$defs")->find(arg.string()->substr(8)), x);
    if (word == "type")
      return has_type(*arg.string(), x);
    if (word == "minimum")
      return !x.integer() || *x.integer() >= *arg.integer();
    if (word == "maximum")
      return !x.integer() || *x.integer() <= *arg.integer();
    if (word == "minLength")
      return !x.string() || x.string()->size() >= std::size_t(*arg.integer());
    if (word == "pattern")
      return !x.string() || std::regex_search(*x.string(), std::regex{*arg.string()});
    if (word == "enum")
      return std::ranges::find(*arg.items(), x) != arg.items()->end();
    if (word == "items")
      return !x.items()
             || std::ranges::all_of(*x.items(), [&](auto& y) { return accepts(arg, y); });
    if (word == "propertyNames")
      return !x.members() || std::ranges::all_of(*x.members(), [&](auto& y) {
        return accepts(arg, value{y.first});
      });
    if (word == "properties")
      return members_hold(arg, x);
    if (word == "additionalProperties")
      return rest_holds(arg, schema, x);
    static const std::set<std::string> about{"$schema", "$id",     "$defs",
                                             "title",   "default", "description"};
    REQUIRE(about.contains(word));
    return true;
  }

  static bool has_type(const std::string& type, const value& x) {
    return type == "object"    ? x.members() != nullptr
           : type == "array"   ? x.items() != nullptr
           : type == "string"  ? x.string() != nullptr
           : type == "integer" ? x.integer() != nullptr
           : type == "boolean" ? x.boolean() != nullptr
                               : throw std::runtime_error{"type " + type};
  }

  bool members_hold(const value& properties, const value& x) const {
    if (!x.members())
      return true;
    for (auto& [key, y] : *x.members())
      if (auto found = properties.find(key); found && !accepts(*found, y))
        return false;
    return true;
  }

  bool rest_holds(const value& rest, const value& schema, const value& x) const {
    if (!x.members())
      return true;
    auto known = schema.find("properties");
    for (auto& [key, y] : *x.members())
      if ((!known || !known->find(key)) && (rest.boolean() || !accepts(rest, y)))
        return false;
    return true;
  }

  value schema_;
};

/// The part of the schema that a setting's pointer leads to.
const value* part_of(const value& schema, std::string_view pointer) {
  auto at = &schema;
  while (at && !pointer.empty()) {
    auto end = std::min(pointer.find('/', 1), pointer.size());
    at = at->find("properties");
    at = at ? at->find(pointer.substr(1, end - 1)) : nullptr;
    pointer.remove_prefix(end);
  }
  return at;
}

void collect_leaves(const value& schema, const std::string& pointer, std::set<std::string>& to) {
  auto properties = schema.find("properties");
  if (!properties)
    to.insert(pointer);
  else
    for (auto& [key, x] : *properties->members())
      collect_leaves(x, pointer + "/" + key, to);
}

/// What is tried at every place.
const char* const tried[] = {"null",
                             "true",
                             "0",
                             "1",
                             "-1",
                             "1.5",
                             "99",
                             "1024",
                             "65536",
                             "1e300",
                             "\"\"",
                             "\"x\"",
                             "\"10s\"",
                             "\"1ms\"",
                             "[]",
                             "[\"a\"]",
                             "[\"\"]",
                             "[1]",
                             "{}",
                             "\"info\"",
                             "\"json\"",
                             "9007199254740992",
                             "9007199254740993",
                             "{\"a\": {}}",
                             "{\"a\": \"info\"}",
                             "{\"a b\": {}}",
                             "{\"a\": {\"failed\": {\"age\": \"1d\"}}}",
                             "{\"a\": {\"failed\": {\"age\": 1}}}",
                             "{\"a\": {\"x\": {}}}",
                             "{\"a\": {\"failed\": {\"bytes\": -1}}}",
                             "{\"a\": \"loud\"}"};

std::string document(std::string_view pointer, const std::string& x) {
  if (pointer.empty())
    return x;
  auto end = std::min(pointer.find('/', 1), pointer.size());
  return "{\"" + std::string{pointer.substr(1, end - 1)} + "\": " + document(pointer.substr(end), x)
         + "}";
}

} // namespace

TEST_CASE("the schema of configurations has the keys and ranges of the parser", "[config]") {
  auto schema = read_json("/docs/config.schema.json");
  std::set<std::string> leaves, known;
  collect_leaves(schema, "", leaves);
  for (auto& s : settings()) {
    INFO(s.pointer);
    known.insert(std::string{s.pointer});
    auto part = part_of(schema, s.pointer);
    REQUIRE(part);
    if (s.takes != setting::type::integer)
      continue;
    CHECK(*part->find("minimum")->integer() == s.least);
    CHECK(*part->find("maximum")->integer() == s.most);
  }
  known.insert("/$schema"); // For editors.
  CHECK(leaves == known);
}

TEST_CASE("the defaults of the schema are those of the parser", "[config]") {
  auto schema = read_json("/docs/config.schema.json");
  for (auto& s : settings()) {
    INFO(s.pointer);
    auto usual = part_of(schema, s.pointer)->find("default");
    REQUIRE(usual);
    auto parsed = parse_config(document(s.pointer, graph_json::to_json(*usual)));
    CHECK(parsed.errors.empty());
    CHECK(changes_of(node_config{}, parsed.config).empty());
  }
}

TEST_CASE("schema and parser agree about every value at every place", "[config]") {
  validator schema{read_json("/docs/config.schema.json")};
  std::vector<std::string> places{"",         "/http",        "/http/tls", "/retention/failed",
                                  "/nothing", "/http/nothing"};
  for (auto& s : settings())
    places.emplace_back(s.pointer);
  std::size_t good = 0, bad = 0;
  // For another validator, in tests/openapi.
  std::ofstream corpus{TROUPE_BINARY_DIR "/tests/config_corpus.ndjson"};
  for (auto& place : places)
    for (auto x : tried) {
      auto text = document(place, x);
      INFO(text);
      auto parsed = parse_config(text);
      if (std::ranges::any_of(settings(), [&](auto& s) {
            return s.pointer == place && s.takes == setting::type::duration && s.least > 0;
          }))
        std::erase_if(parsed.errors, [](auto& e) { return e.code == "out_of_range"; });
      CHECK(schema.accepts(*graph_json::parse_value(text)) == parsed.errors.empty());
      ++(parsed.errors.empty() ? good : bad);
      corpus << "{\"accepted\":" << (parsed.errors.empty() ? "true" : "false")
             << ",\"document\":" << text << "}\n";
    }
  CHECK(good > 100);
  CHECK(bad > 500);
}

TEST_CASE("the configuration in configs is right as it is", "[config]") {
  auto parsed = parse_config_file(root + "/configs/node.json");
  CHECK(parsed.errors.empty());
  CHECK(check_config(parsed.config).empty());
  CHECK(validator{read_json("/docs/config.schema.json")}.accepts(read_json("/configs/node.json")));
}
