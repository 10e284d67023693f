#include "storage/file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace troupe;
using namespace troupe::storage;

namespace {

namespace fs = std::filesystem;

constexpr uid_t nobody = 65534;

uid_t owner(const fs::path& x) {
  struct stat about {};
  REQUIRE(::lstat(x.c_str(), &about) == 0);
  return about.st_uid;
}

bool make(const fs::path& name, int flags = O_RDWR | O_CREAT) {
  return static_cast<bool>(file::open(system_files(), name, flags));
}

} // namespace

TEST_CASE("what root makes in the directory of another user is that user's", "[storage]") {
  if (::geteuid() != 0)
    return; // Only root can give anything away.
  tests::temp_dir temporary;
  auto theirs = temporary.path() / "theirs", own = temporary.path() / "own";
  fs::create_directories(theirs);
  fs::create_directories(own);
  REQUIRE(make(theirs / "before"));
  REQUIRE(::chown(theirs.c_str(), nobody, nobody) == 0);

  CHECK(make(theirs / "file"));
  CHECK(owner(theirs / "file") == nobody);
  CHECK(make_directories(system_files(), theirs / "a/b"));
  CHECK(owner(theirs / "a") == nobody);
  CHECK(make(theirs / "a/b/file", O_WRONLY | O_CREAT | O_EXCL));
  CHECK(owner(theirs / "a/b/file") == nobody);
  CHECK_FALSE(make(theirs / "a/b/file", O_WRONLY | O_CREAT | O_EXCL));

  CHECK(make(theirs / "before"));
  CHECK(owner(theirs / "before") == 0); // It was there.
  CHECK(make(own / "file"));
  CHECK(owner(own / "file") == 0);
}

TEST_CASE("root gives away nothing that lies elsewhere", "[storage]") {
  if (::geteuid() != 0)
    return;
  tests::temp_dir temporary;
  auto theirs = temporary.path() / "theirs", own = temporary.path() / "own";
  fs::create_directories(theirs);
  fs::create_directories(own);
  fs::create_symlink(own, theirs / "journal");
  fs::create_symlink(own / "linked", theirs / "LOCK");
  REQUIRE(::chown(theirs.c_str(), nobody, nobody) == 0);
  CHECK(make(theirs / "journal/file"));
  CHECK(owner(own / "file") == 0);
  CHECK(make(theirs / "LOCK"));
  CHECK(owner(own / "linked") == 0);
}
