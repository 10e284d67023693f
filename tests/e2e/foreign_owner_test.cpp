#include "tests/e2e/json.hpp"
#include "tests/e2e/process.hpp"

#include <sys/stat.h>

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr uid_t nobody = 65534;

/// What below `directory` belongs to root.
std::vector<std::string> of_root(const fs::path& directory) {
  std::vector<std::string> found;
  for (auto& x : fs::recursive_directory_iterator{directory}) {
    struct stat about {};
    if (::lstat(x.path().c_str(), &about) != 0 || about.st_uid == 0)
      found.push_back(x.path().string());
  }
  return found;
}

void run_well(const scratch& in, std::vector<std::string> arguments) {
  INFO(arguments.front());
  auto done = troupe_with(in, std::move(arguments));
  INFO(done.err);
  REQUIRE(done.code == 0);
}

} // namespace

TEST_CASE("commands by root leave nothing of root's in the directory of another user", "[e2e]") {
  if (::geteuid() != 0)
    return; // Only root can do so.
  scratch in;
  auto place = in.path() / "place"; // The home of the node's user.
  fs::create_directories(place / "restored");
  for (auto& x : {place, place / "restored"})
    REQUIRE(::chown(x.c_str(), nobody, nobody) == 0);
  in.write("g.json", R"({"vertices": [{"id": "a", "kind": "exec",
                         "config": {"shell": "head -c 300000 /dev/zero | tr '\\0' x"}}]})");
  run_well(in, {"run", "g.json", "--data", "place/data"});
  run_well(in, {"keys", "create", "--role", "admin", "--data", "place/data"});
  run_well(in, {"compact", "--data", "place/data"});
  run_well(in, {"backup", "place/backup", "--data", "place/data"});
  run_well(in, {"restore", "place/backup", "--data", "place/restored"});
  run_well(in, {"jobs", "list", "--data", "place/restored"}); // Readers lock files, too.
  run_well(in, {"verify", "--online", "--data", "place/restored"});
  run_well(in, {"export", "--output", "all.ndjson", "--data", "place/data"});
  run_well(in, {"import", "all.ndjson", "--data", "place/imported"});
  run_well(in, {"jobs", "purge", "--older-than", "0s", "--yes", "--data", "place/data"});
  CHECK(of_root(place).empty());
}
