#include "tests/support/catch.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fs = std::filesystem;

namespace {

const fs::path root{TROUPE_SOURCE_DIR};

std::string text_of(const fs::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<fs::path> pages() {
  std::vector<fs::path> found;
  for (auto& x : fs::directory_iterator{root})
    if (x.path().extension() == ".md")
      found.push_back(x.path());
  for (auto folder : {"docs", "examples"})
    for (auto& x : fs::recursive_directory_iterator{root / folder})
      if (x.path().extension() == ".md")
        found.push_back(x.path());
  return found;
}

/// Everything that stands between `open` and the next `close`.
std::vector<std::string> between(std::string_view text, std::string_view open, char close) {
  std::vector<std::string> found;
  for (auto at = text.find(open); at != text.npos; at = text.find(open, at)) {
    at += open.size();
    found.emplace_back(text.substr(at, text.find(close, at) - at));
  }
  return found;
}

bool leads_out(const std::string& link) { return link.starts_with("https://"); }

/// Where a link leads, without its `#part`.
fs::path target_of(const fs::path& page, const std::string& link) {
  auto path = link.substr(0, link.find('#'));
  return path.empty() ? page : page.parent_path() / path;
}

/// The words in quotes of the lists `NAME_keys[] = {...}`.
std::set<std::string> config_keys(std::string_view source) {
  std::set<std::string> keys;
  for (auto& list : between(source, "_keys[] = {", '}')) {
    auto parts = between(list, "\"", '"');
    for (std::size_t i = 0; i < parts.size(); i += 2) // Between them: what separates them.
      keys.insert(parts[i]);
  }
  return keys;
}

} // namespace

TEST_CASE("every link of a page leads to a file of the tree", "[tree]") {
  std::size_t links = 0;
  for (auto& page : pages())
    for (auto& link : between(text_of(page), "](", ')')) {
      if (leads_out(link))
        continue;
      ++links;
      INFO(page.string() << ": " << link);
      CHECK(fs::exists(target_of(page, link)));
    }
  CHECK(links > 10);
}

TEST_CASE("the page of kinds tells every key of their configs", "[tree]") {
  auto page = text_of(root / "docs/kinds.md");
  auto keys = config_keys(text_of(root / "core/kind_catalog.cpp"));
  CHECK(keys.contains("ok_codes"));
  for (auto& key : keys) {
    INFO(key);
    CHECK(page.find("| `" + key + "` |") != page.npos);
  }
}

TEST_CASE("every test that the page on parity names is there", "[tree]") {
  std::size_t named = 0;
  for (auto& row : between(text_of(root / "docs/parity.md"), "\n| ", '\n')) {
    std::string source;
    for (std::size_t at = 0; (at = row.find_first_of("`\"", at)) != row.npos; ++at) {
      auto end = row.find(row[at], at + 1);
      REQUIRE(end != row.npos);
      auto text = row.substr(at + 1, end - at - 1);
      auto is_file = row[at] == '`' && text.ends_with("_test.cpp");
      if (is_file)
        source = text_of(root / "tests" / text);
      INFO(text);
      if (row[at] == '"')
        CHECK(source.find('"' + text + '"') != source.npos);
      named += row[at] == '"';
      at = end;
    }
  }
  CHECK(named > 50);
}

TEST_CASE("the graph that the README shows is the one in examples", "[tree]") {
  auto graph = text_of(root / "examples/hello.json");
  REQUIRE_FALSE(graph.empty());
  CHECK(text_of(root / "README.md").find("```json\n" + graph + "```") != std::string::npos);
}

TEST_CASE("the program that the page on embedding shows is the one in examples", "[tree]") {
  auto program = text_of(root / "examples/embedding/plain/main.cpp");
  REQUIRE_FALSE(program.empty());
  CHECK(text_of(root / "docs/embedding.md").find("```cpp\n" + program + "```")
        != std::string::npos);
}

TEST_CASE("what CMake looks for is what the install script installs", "[tree]") {
  const std::map<std::string, std::string> package_of{
      {"CAF", "libcaf-dev"},       {"nlohmann_json", "nlohmann-json3-dev"},
      {"OpenSSL", "libssl-dev"},   {"CLI11", "libcli11-dev"},
      {"Catch2", "catch2"},        {"Threads", "g++"},
      {"PkgConfig", "pkg-config"}, {"prometheus-cpp", "prometheus-cpp-dev"},
      {"spdlog", "libspdlog-dev"}, {"Boost", "libboost1.81-dev"}};
  auto script = text_of(root / "scripts/install-deps.sh");
  std::set<std::string> wanted;
  for (auto file : {"CMakeLists.txt", "tests/CMakeLists.txt"})
    for (auto& call : between(text_of(root / file), "find_package(", ')'))
      wanted.insert(call.substr(0, call.find(' ')));
  CHECK(wanted.contains("CAF"));
  for (auto& name : wanted) {
    INFO(name);
    REQUIRE(package_of.contains(name));
    CHECK(script.find(package_of.at(name)) != script.npos);
  }
}
