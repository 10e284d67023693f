#include "tests/support/catch.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fs = std::filesystem;

namespace {

using words = std::set<std::string>;

const std::string all = "*";

/// By folder: what its files may include, by the first folder of the include's path. Headers of
/// the standard library are always allowed, those of the system where `system` is.
const std::map<std::string, words> knows{
    {"include", {"troupe"}},
    {"core", {"core", "troupe"}},
    {"graph_json", {"graph_json", "core", "troupe", "nlohmann", "openssl"}},
    {"messages", {"messages", "core", "troupe", "caf"}},
    {"storage", {"storage", "core", "troupe", "lmdb", "openssl", "system"}},
    {"actors", {"actors", "messages", "storage", "graph_json", "core", "troupe", "caf", "system"}},
    {"node", {all}},
    {"examples", {"troupe"}},
};

/// By folder: what only its .cpp files may include.
const std::map<std::string, words> only_in_sources{
    {"graph_json", {"nlohmann", "openssl"}},
    {"storage", {"lmdb", "openssl"}},
};

/// Standard headers that a folder without I/O, threads and clock has no use for.
const std::map<std::string, words> forbidden{
    {"core",
     {"atomic", "condition_variable", "cstdio", "filesystem", "fstream", "future", "iostream",
      "mutex", "semaphore", "shared_mutex", "stop_token", "thread"}},
};

struct include_line {
  bool in_angles = false;
  std::string path;
};

std::optional<include_line> include_of(std::string line) {
  std::erase_if(line, [](char c) { return c == ' ' || c == '\t'; });
  constexpr std::string_view directive = "#include";
  if (!line.starts_with(directive) || line.size() == directive.size())
    return {};
  auto in_angles = line[directive.size()] == '<';
  auto path = line.substr(directive.size() + 1);
  return include_line{in_angles, path.substr(0, path.find(in_angles ? '>' : '"'))};
}

/// What the table calls the owner of a header: a folder, a library, `std` or `system`.
std::string owner_of(const include_line& x) {
  static const words system_folders{"arpa", "asm", "linux", "netinet", "sys"};
  auto folder = x.path.substr(0, x.path.find('/'));
  if (folder == x.path) {
    if (x.path == "lmdb.h")
      return "lmdb";
    if (!x.in_angles)
      return "neighbour"; // Without its folder: nothing here is included so.
    return folder.find('.') == folder.npos || folder.ends_with("intrin.h") ? "std" : "system";
  }
  return system_folders.contains(folder) ? "system" : folder;
}

/// The one public header that knows CAF: for programs that use it themselves.
bool may_know_caf(const std::string& folder, const fs::path& file) {
  return (folder == "include" && file.filename() == "caf.hpp")
         || (folder == "examples" && file.parent_path().filename() == "caf");
}

/// Whether a file of `folder` may have this line.
bool allowed(const std::string& folder, const fs::path& file, const std::string& line) {
  auto include = include_of(line);
  if (!include)
    return true;
  auto owner = owner_of(*include);
  auto listed = [&](auto& table, auto& word) {
    auto found = table.find(folder);
    return found != table.end() && found->second.contains(word);
  };
  if (owner == "std")
    return !listed(forbidden, include->path);
  if (owner != "neighbour" && listed(knows, all))
    return true;
  if (owner == "caf" && may_know_caf(folder, file))
    return true;
  return listed(knows, owner) && (file.extension() == ".cpp" || !listed(only_in_sources, owner));
}

std::vector<fs::path> sources_in(const fs::path& folder) {
  std::vector<fs::path> found;
  if (fs::exists(folder))
    for (auto& file : fs::recursive_directory_iterator{folder})
      if (file.path().extension() == ".hpp" || file.path().extension() == ".cpp")
        found.push_back(file.path());
  return found;
}

} // namespace

TEST_CASE("includes follow the arrows", "[tree]") {
  for (auto& [folder, ignored] : knows)
    for (auto& file : sources_in(fs::path{TROUPE_SOURCE_DIR} / folder)) {
      std::ifstream in{file};
      for (std::string line; std::getline(in, line);)
        if (!allowed(folder, file, line))
          FAIL_CHECK(file.string() << ": " << line);
    }
}

TEST_CASE("the folders that the arrows join are there", "[tree]") {
  for (auto folder : {"include", "core"})
    CHECK(sources_in(fs::path{TROUPE_SOURCE_DIR} / folder).size() > 5);
}

TEST_CASE("an include against the arrows is found", "[tree]") {
  CHECK(allowed("core", "a.hpp", "#include \"troupe/ids.hpp\""));
  CHECK(allowed("core", "a.hpp", "#include <vector>"));
  CHECK(allowed("core", "a.cpp", "#include <nmmintrin.h>"));
  CHECK_FALSE(allowed("core", "a.cpp", "#include \"storage/journal.hpp\""));
  CHECK_FALSE(allowed("core", "a.cpp", "  #  include <caf/all.hpp>"));
  CHECK_FALSE(allowed("core", "a.cpp", "#include <nlohmann/json.hpp>"));
  CHECK_FALSE(allowed("core", "a.cpp", "#include <fstream>"));
  CHECK_FALSE(allowed("core", "a.cpp", "#include <unistd.h>"));
  CHECK_FALSE(allowed("core", "a.cpp", "#include <sys/stat.h>"));
  CHECK_FALSE(allowed("core", "a.cpp", "#include \"graph.hpp\""));
  CHECK_FALSE(allowed("include", "a.hpp", "#include \"core/graph.hpp\""));
  CHECK_FALSE(allowed("include", "runtime.hpp", "#include <caf/actor.hpp>"));
  CHECK(allowed("include", "caf.hpp", "#include <caf/actor.hpp>"));
  CHECK_FALSE(allowed("include", "caf.hpp", "#include <lmdb.h>"));
  CHECK(allowed("graph_json", "a.cpp", "#include <nlohmann/json.hpp>"));
  CHECK_FALSE(allowed("graph_json", "a.hpp", "#include <nlohmann/json.hpp>"));
  CHECK_FALSE(allowed("graph_json", "a.cpp", "#include <caf/all.hpp>"));
  CHECK(allowed("storage", "a.cpp", "#include <lmdb.h>"));
  CHECK_FALSE(allowed("storage", "a.hpp", "#include <lmdb.h>"));
  CHECK_FALSE(allowed("messages", "a.hpp", "#include \"storage/journal.hpp\""));
  CHECK_FALSE(allowed("actors", "a.cpp", "#include \"node/main.hpp\""));
  CHECK(allowed("node", "a.cpp", "#include <CLI/CLI.hpp>"));
  CHECK_FALSE(allowed("examples", "a.cpp", "#include \"core/graph.hpp\""));
}
