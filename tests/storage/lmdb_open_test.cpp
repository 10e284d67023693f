#include "tests/storage/child_process.hpp"
#include "tests/storage/tables_fixture.hpp"

#include <fstream>
#include <list>
#include <sys/resource.h>

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t page_bytes = 4096;

void fill(table_store& store, int rows, std::size_t bytes = 300) {
  auto done = update(store, [&](table_writer& x) {
    for (int i = 0; i < rows; ++i)
      if (auto put = x.put(table::live, bytes_of("key" + std::to_string(i)), core::bytes(bytes, 7));
          !put)
        return put;
    return status{};
  });
  REQUIRE(done.code() == ec::none);
}

lmdb_options existing() {
  lmdb_options options;
  options.expect_existing = true;
  return options;
}

/// Tells the file and the next step.
void check_told(const error& why, const lmdb_fixture& of) {
  INFO(why.detail);
  CHECK(why.detail.find(of.file().string()) != std::string::npos);
  CHECK(why.detail.find("troupe verify") != std::string::npos);
}

std::string content_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

TEST_CASE("a snapshot is there again after it was closed", "[storage][tables]") {
  lmdb_fixture x;
  fill(*x.store, 1000);
  auto rows = rows_of(*x.store, table::live);
  auto totals = (*x.store->read())->totals(table::live);
  REQUIRE(x.open(existing()));
  CHECK(rows_of(*x.store, table::live) == rows);
  CHECK((*x.store->read())->totals(table::live) == totals);
  CHECK(totals.rows == 1000);
}

TEST_CASE("an empty or missing snapshot is refused where one is expected", "[storage][tables]") {
  lmdb_fixture x;
  fill(*x.store, 10);
  x.close();
  SECTION("missing") { fs::remove_all(x.file().parent_path()); }
  SECTION("empty") { fs::resize_file(x.file(), 0); }
  auto refused = x.open(existing());
  REQUIRE(refused.code() == ec::journal_corrupt);
  check_told(refused.error(), x);
  CHECK(x.open().code() == ec::none);
  CHECK(rows_of(*x.store, table::live).empty());
}

TEST_CASE("a snapshot that never got its marker is new, or refused", "[storage][tables]") {
  lmdb_fixture x;
  x.close();
  auto bytes = GENERATE(std::size_t{0}, std::size_t{1}, page_bytes, page_bytes + 100);
  fs::resize_file(x.file(), bytes);
  CHECK(x.open(existing()).code() == ec::journal_corrupt);
  CHECK(x.open().code() == ec::none);
  fill(*x.store, 10);
  CHECK(rows_of(*x.store, table::live).size() == 10);
}

TEST_CASE("a snapshot that was cut off is refused before it is touched", "[storage][tables]") {
  lmdb_fixture x;
  fill(*x.store, 2000);
  x.close();
  auto size = fs::file_size(x.file());
  for (auto left : {size - 1, size - page_bytes, size / 2, 2 * page_bytes}) {
    fs::resize_file(x.file(), left);
    for (auto mode : {open_mode::write, open_mode::read}) {
      auto refused = x.open({}, mode);
      REQUIRE(refused.code() == ec::journal_corrupt);
      check_told(refused.error(), x);
    }
  }
}

TEST_CASE("a damaged first page is refused", "[storage][tables]") {
  lmdb_fixture x;
  fill(*x.store, 100);
  x.close();
  auto page = GENERATE(0, 1);
  {
    std::fstream file{x.file(), std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(page * static_cast<int>(page_bytes));
    file << std::string(page_bytes, '\0');
  }
  for (auto mode : {open_mode::write, open_mode::read})
    CHECK(x.open({}, mode).code() == ec::journal_corrupt);
}

TEST_CASE("a first page that would show an older state is refused", "[storage][tables]") {
  lmdb_fixture x;
  for (int i = 0; i < 5; ++i)
    put(*x.store, table::live, "key", std::to_string(i));
  x.close();
  auto transaction_at = page_bytes * GENERATE(0, 1) + 16 + 128;
  std::fstream file{x.file(), std::ios::in | std::ios::out | std::ios::binary};
  file.seekg(static_cast<std::streamoff>(transaction_at));
  auto last = file.get();
  auto other = last + GENERATE(-6, -4, -3, -2, -1, 1, 2, 4);
  if (other < 0)
    return;
  file.seekp(static_cast<std::streamoff>(transaction_at));
  file.put(static_cast<char>(other));
  file.close();
  CAPTURE(last, other);
  CHECK(x.open().code() == ec::journal_corrupt);
}

TEST_CASE("a snapshot of another node, incarnation or format is refused", "[storage][tables]") {
  lmdb_fixture one, other;
  put(*one.store, table::live, "a", "1");
  one.close();
  other.close();
  fs::copy_file(one.file(), other.file(), fs::copy_options::overwrite_existing);
  for (auto mode : {open_mode::write, open_mode::read}) {
    auto refused = other.open({}, mode);
    REQUIRE(refused.code() == ec::wrong_node);
    CHECK(refused.error().detail.find(other.file().string()) != std::string::npos);
  }
  lmdb_options options;
  options.adopt = true;
  REQUIRE(other.open(options).code() == ec::none);
  CHECK(get(*other.store, table::live, "a") == "1");
  CHECK(other.open(existing()).code() == ec::none);
}

TEST_CASE("one process opens a snapshot once at a time", "[storage][tables]") {
  lmdb_fixture x;
  auto beside = data_dir::open(x.temporary.path, open_mode::read);
  REQUIRE(beside);
  auto refused = open_lmdb_tables(*beside);
  REQUIRE(refused.code() == ec::already_open);
  CHECK(refused.error().detail.find("snapshot") != std::string::npos);
  put(*x.store, table::live, "a", "1"); // Its locks are still there.
  x.close();
  auto alone = open_lmdb_tables(*beside);
  REQUIRE(alone);
  CHECK(get(**alone, table::live, "a") == "1");
  CHECK((*alone)->write().code() == ec::unsupported);
}

TEST_CASE("a reader sees what another process commits", "[storage][tables]") {
  lmdb_fixture x;
  put(*x.store, table::live, "n", "1");
  x.close();
  auto opened = data_dir::open(x.temporary.path, open_mode::read);
  child_process writer{[&](int said) {
    lmdb_fixture* mine = &x;
    if (!mine->open())
      return 1;
    for (int i = 0; i < 20; ++i)
      if (!update(*mine->store, [&](table_writer& w) {
            return w.put(table::live, bytes_of("n"), bytes_of(std::to_string(i)));
          }))
        return 2;
    if (::write(said, "x", 1) != 1)
      return 3;
    mine->close();
    return 0;
  }};
  auto store = open_lmdb_tables(*opened);
  REQUIRE(store);
  REQUIRE(writer.read(1) == "x");
  CHECK(get(**store, table::live, "n") == "19");
  CHECK(writer.wait() == 0);
}

TEST_CASE("a map is smaller where a process may have few addresses", "[storage][tables]") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  WARN("a sanitizer needs more addresses than a limit leaves");
  return;
#endif
  lmdb_fixture x;
  put(*x.store, table::live, "a", "1");
  x.close();
  child_process limited{[&](int) {
    rlimit few{std::uint64_t{1} << 30, std::uint64_t{1} << 30};
    ::setrlimit(RLIMIT_AS, &few);
    auto opened = data_dir::open(x.temporary.path, open_mode::write);
    auto store = open_lmdb_tables(*opened);
    if (!store)
      return 1;
    if ((*store)->sizes().map_max >= few.rlim_cur)
      return 2;
    return get(**store, table::live, "a") == "1" ? 0 : 3;
  }};
  CHECK(limited.wait() == 0);
  child_process none{[&](int) {
    rlimit few{std::uint64_t{1} << 20, std::uint64_t{1} << 20};
    auto opened = data_dir::open(x.temporary.path, open_mode::write);
    ::setrlimit(RLIMIT_AS, &few);
    auto store = open_lmdb_tables(*opened);
    if (store || store.code() != ec::io_failed)
      return 1;
    return store.error().detail.find("ulimit -v") != std::string::npos ? 0 : 2;
  }};
  CHECK(none.wait() == 0);
}

TEST_CASE("a copy is a snapshot of one moment", "[storage][tables]") {
  lmdb_fixture x;
  fill(*x.store, 5000);
  auto rows = rows_of(*x.store, table::live);
  REQUIRE(update(*x.store,
                 [&](table_writer& w) -> status {
                   for (int i = 0; i < 4000; ++i)
                     if (auto done = w.erase(table::live, bytes_of("key" + std::to_string(i)));
                         !done)
                       return done.error();
                   return {};
                 })
              .code()
          == ec::none);
  bool compact = GENERATE(false, true);
  auto name = x.temporary.path / "copy.mdb";
  REQUIRE(x.store->copy(name, compact).code() == ec::none);
  CHECK(x.store->copy(name, compact).code() == ec::io_failed); // Nothing is written over.
  auto left = rows_of(*x.store, table::live);
  CHECK(left.size() == 1000);
  CHECK((fs::file_size(name) < x.store->sizes().file / 2) == compact);
  put(*x.store, table::live, "later", "1");
  x.close();
  fs::rename(name, x.file());
  REQUIRE(x.open(existing()).code() == ec::none);
  CHECK(rows_of(*x.store, table::live) == left);
  put(*x.store, table::live, "later", "1");
}

TEST_CASE("a copy onto a full disk leaves nothing", "[storage][tables]") {
  lmdb_fixture x;
  fill(*x.store, 100);
  CHECK(x.store->copy("/dev/full/x", false).code() == ec::io_failed);
  CHECK(content_of(x.file()).size() == x.store->sizes().file);
  CHECK(x.store->sizes().used <= x.store->sizes().file);
}

TEST_CASE("processes may make the table of readers at the same time", "[storage][tables]") {
  constexpr int rounds = 40, readers = 5;
  lmdb_fixture x;
  fill(*x.store, 100);
  x.close();
  auto read = [&](int) {
    return x.open(existing(), open_mode::read) && rows_of(*x.store, table::live).size() >= 100 ? 0
                                                                                               : 1;
  };
  auto write = [&](int) {
    if (!x.open(existing()))
      return 1;
    for (int i = 0; i < 20; ++i)
      if (!update(*x.store, [&](table_writer& to) {
            return to.put(table::live, bytes_of("own" + std::to_string(i)), core::bytes(300, 7));
          }))
        return 2;
    return 0;
  };
  for (int round = 0; round < rounds; ++round) {
    INFO("round " << round);
    fs::remove(x.file().parent_path() / "lock.mdb");
    std::list<child_process> all;
    all.emplace_back(write);
    for (int i = 0; i < readers; ++i)
      all.emplace_back(read);
    for (auto& child : all)
      CHECK(child.wait() == 0);
  }
  REQUIRE(x.open(existing()));
  CHECK((*x.store).check([](auto&) {})->problems == 0);
}
