#include "tests/e2e/json.hpp"
#include "tests/e2e/process.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr std::size_t page_bytes = 4096;

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

/// Writes a snapshot with all bytes of one page changed; false if it has no such page.
bool write_damaged(const fs::path& name, std::string content, std::size_t page) {
  if (page * page_bytes >= content.size())
    return false;
  for (std::size_t i = 0; i < page_bytes; ++i)
    content[page * page_bytes + i] = static_cast<char>(content[page * page_bytes + i] ^ 0x5a);
  std::ofstream{name, std::ios::binary} << content;
  return true;
}

} // namespace

TEST_CASE("an export goes past a damaged page, and tells what is lost", "[e2e]") {
  scratch in;
  in.write("a.json", R"({"vertices": [{"id": "a", "kind": "noop"}]})");
  REQUIRE(troupe_with(in, {"run", "a.json"}).code == 0);
  REQUIRE(troupe_with(in, {"export", "--output", "all.ndjson"}).code == 0);
  REQUIRE(troupe_with(in, {"import", "all.ndjson", "--data", "other"}).code == 0);
  auto name = in.path() / "other/snapshot/data.mdb";
  auto whole = read_file(name);
  int told = 0;
  for (std::size_t page = 2; write_damaged(name, whole, page); ++page) {
    // An index that is damaged must not hide the job, either.
    auto done = troupe_with(
        in, {"export", "--state", "completed", "--output", "rest.ndjson", "--data", "other"});
    CAPTURE(page, done.out, done.err);
    if (done.code == 1) {
      CHECK(has(done.err, "error[E0019]"));
      CHECK(has(done.err, "1 of its 1 rows cannot be read"));
      REQUIRE(troupe_with(in, {"import", "rest.ndjson", "--data", "new"}).code == 0);
      ++told;
    } else if (done.code == 6) {
      CHECK(has(done.err, "error[E0111]")); // The way to all tables is lost.
    } else {
      CHECK(done.code == 0);
      CHECK(has(done.out, "1 job,"));
    }
  }
  CHECK(told >= 2); // The job's row, and its records.
}
