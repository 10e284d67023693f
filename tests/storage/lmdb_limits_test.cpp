#include "storage/map_guard.hpp"
#include "tests/fault/small_disk.hpp"
#include "tests/storage/tables_fixture.hpp"
#include "tests/support/killed_reader.hpp"

#include <fstream>
#include <iostream>
#include <thread>

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t mebibyte = 1 << 20;

std::string key_of(int i) { return "key" + std::to_string(i); }

status put_rows(table_writer& x, int from, int to, std::size_t bytes) {
  for (int i = from; i < to; ++i)
    if (auto done = x.put(table::live, bytes_of(key_of(i)), core::bytes(bytes, std::uint8_t(i)));
        !done)
      return done;
  return {};
}

status put_rows(table_store& store, int from, int to, std::size_t bytes) {
  return update(store, [&](table_writer& x) { return put_rows(x, from, to, bytes); });
}

lmdb_options with_map(std::uint64_t bytes, std::chrono::milliseconds wait = 10s) {
  lmdb_options options;
  options.map_bytes = bytes;
  options.resize_wait = wait;
  return options;
}

/// Whether all of `count` rows are there with what was put.
bool has_rows(table_store& store, int count, std::size_t bytes) {
  auto reader = store.read();
  if (!reader)
    return false;
  for (int i = 0; i < count; ++i) {
    auto found = (*reader)->get(table::live, bytes_of(key_of(i)));
    if (!found || !*found || (**found).size() != bytes || (**found)[bytes / 2] != std::uint8_t(i))
      return false;
  }
  return true;
}

/// KiB of memory by which this process shows the snapshot's file.
std::uint64_t shown_kib() {
  std::ifstream maps{"/proc/self/smaps"};
  std::uint64_t sum = 0;
  bool is_it = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" kB") == line.npos && line.find('-') < line.find(' '))
      is_it = line.ends_with("data.mdb");
    if (is_it && line.starts_with("Rss:"))
      sum += std::stoull(line.substr(4));
  }
  return sum;
}

} // namespace

TEST_CASE("memory that shows the file can be given back, and is right again when it is read",
          "[storage][tables]") {
  lmdb_fixture x;
  REQUIRE(x.open().code() == ec::none);
  REQUIRE(put_rows(*x.store, 0, 10'000, 1000).code() == ec::none);
  CHECK(has_rows(*x.store, 10'000, 1000));
  CHECK(shown_kib() > 10'000);
  auto reader = x.store->read();
  x.store->forget_pages();
  CHECK(shown_kib() < 1000);
  CHECK(rows_of(**reader, table::live).size() == 10'000);
  CHECK(has_rows(*x.store, 10'000, 1000));
}

TEST_CASE("a full map grows when the transaction is repeated", "[storage][tables]") {
  lmdb_fixture x;
  REQUIRE(x.open(with_map(mebibyte)).code() == ec::none);
  REQUIRE(put_rows(*x.store, 0, 100, 1000).code() == ec::none);
  {
    auto writer = x.store->write();
    REQUIRE(writer);
    auto full = put_rows(**writer, 100, 3000, 1000);
    CHECK(full.code() == ec::overloaded);
    CHECK((*writer)->must_repeat());
    CHECK((*writer)->put(table::live, bytes_of("a"), {}).code() == ec::overloaded);
    CHECK((*writer)->commit().code() == ec::overloaded);
  }
  CHECK(rows_of(*x.store, table::live).size() == 100);
  CHECK(put_rows(*x.store, 100, 30'000, 1000).code() == ec::none);
  CHECK(has_rows(*x.store, 30'000, 1000));
  CHECK(x.store->sizes().map_max >= 32 * mebibyte);
}

TEST_CASE("growing waits for readers, and only so long", "[storage][tables]") {
  lmdb_fixture x;
  REQUIRE(x.open(with_map(mebibyte, 50ms)).code() == ec::none);
  REQUIRE(put_rows(*x.store, 0, 100, 1000).code() == ec::none);
  auto reader = x.store->read();
  REQUIRE(reader);
  CHECK(put_rows(*x.store, 100, 3000, 1000).code() == ec::overloaded);
  CHECK(rows_of(**reader, table::live).size() == 100); // Its memory has not moved.
  reader->reset();
  CHECK(put_rows(*x.store, 100, 3000, 1000).code() == ec::none);
  CHECK(has_rows(*x.store, 3000, 1000));
}

TEST_CASE("readers are right while the map grows", "[storage][tables]") {
  lmdb_fixture x;
  REQUIRE(x.open(with_map(mebibyte)).code() == ec::none);
  REQUIRE(put_rows(*x.store, 0, 100, 1000).code() == ec::none);
  std::atomic<bool> stop = false, right = true;
  std::atomic<int> reads = 0;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!stop) {
        right = right && has_rows(*x.store, 100, 1000);
        ++reads;
      }
    });
  for (int i = 100; i < 40'000; i += 1000)
    REQUIRE(put_rows(*x.store, i, i + 1000, 1000).code() == ec::none);
  stop = true;
  readers.clear();
  CHECK(right);
  CHECK(reads > 0);
  CHECK(x.store->sizes().map_max >= 32 * mebibyte);
}

TEST_CASE("a reader goes on when another process has made the map larger", "[storage][tables]") {
  lmdb_fixture x;
  REQUIRE(x.open(with_map(mebibyte)).code() == ec::none);
  REQUIRE(put_rows(*x.store, 0, 10, 1000).code() == ec::none);
  x.close();
  child_gate go;
  child_process reader{[&](int said) {
    auto opened = data_dir::open(x.temporary.path, open_mode::read);
    auto store = open_lmdb_tables(*opened, with_map(mebibyte));
    if (!store || !has_rows(**store, 10, 1000))
      return 1;
    if (::write(said, "x", 1) != 1 || !go.pass())
      return 2;
    return has_rows(**store, 20'000, 1000) ? 0 : 3;
  }};
  REQUIRE(reader.read(1) == "x");
  REQUIRE(x.open(with_map(mebibyte)).code() == ec::none);
  REQUIRE(put_rows(*x.store, 10, 20'000, 1000).code() == ec::none);
  go.open();
  CHECK(reader.wait() == 0);
}

TEST_CASE("the reader after the last is refused until one ends", "[storage][tables]") {
  temporary_directory temporary;
  auto directory = data_dir::open(temporary.path, open_mode::write);
  REQUIRE(directory);
  lmdb_options options;
  options.readers_max = 4;
  auto store = open_lmdb_tables(*directory, options);
  REQUIRE(store);
  std::vector<std::unique_ptr<table_reader>> readers;
  result<std::unique_ptr<table_reader>> one = ec::overloaded;
  while ((one = (*store)->read()))
    readers.push_back(std::move(*one));
  CHECK(one.code() == ec::overloaded);
  CHECK(readers.size() >= 4);
  CHECK((*store)->readers().open == readers.size());
  CHECK((*store)->readers().oldest > 0s);
  put(**store, table::live, "a", "1"); // Writing is not reading.
  readers.pop_back();
  CHECK(get(**store, table::live, "a") == "1");
  readers.clear();
  CHECK((*store)->readers().open == 0);
}

TEST_CASE("what a killed process was reading is freed", "[storage][tables]") {
  lmdb_fixture x;
  REQUIRE(put_rows(*x.store, 0, 500, 1000).code() == ec::none);
  x.close();
  tests::killed_reader reader{x.temporary.path};
  REQUIRE(x.open().code() == ec::none);
  reader.begin();
  reader.kill();
  auto grown_by = [&] {
    auto before = x.store->sizes().file;
    for (int i = 0; i < 30; ++i)
      REQUIRE(put_rows(*x.store, 0, 500, 1000 + static_cast<std::size_t>(i % 2)).code()
              == ec::none);
    return x.store->sizes().file - before;
  };
  auto pinned = grown_by();
  CHECK(pinned > 5 * mebibyte);
  CHECK(x.store->readers().others == 1);
  REQUIRE(x.store->maintain().code() == ec::none);
  CHECK(x.store->readers().others == 0);
  CHECK(grown_by() == 0);
}

TEST_CASE("what another process reads is counted, and its age", "[storage][tables]") {
  lmdb_fixture x;
  REQUIRE(put_rows(*x.store, 0, 10, 1000).code() == ec::none);
  x.close();
  child_gate go;
  child_process reader{[&](int said) {
    auto opened = data_dir::open(x.temporary.path, open_mode::read);
    auto store = open_lmdb_tables(*opened);
    auto held = (*store)->read();
    if (!held || ::write(said, "x", 1) != 1 || !go.pass())
      return 1;
    held->reset();
    return ::write(said, "x", 1) == 1 && go.pass() ? 0 : 1;
  }};
  REQUIRE(reader.read(1) == "x");
  REQUIRE(x.open());
  auto first = x.store->readers();
  CHECK(first.open == 0);
  CHECK(first.others == 1);
  auto now = x.store->readers();
  CHECK(now.others == 1);
  CHECK(now.oldest > first.oldest);
  go.open();
  REQUIRE(reader.read(1) == "x");
  CHECK(x.store->readers().others == 0);
  CHECK(x.store->readers().oldest == 0s);
  go.open();
  CHECK(reader.wait() == 0);
}

TEST_CASE("a full disk refuses a transaction and nothing else", "[storage][tables]") {
  auto kind = GENERATE("tmpfs", "ext4");
  CAPTURE(kind);
  tests::scratch scratch;
  tests::small_disk disk{scratch, 32 * mebibyte, kind};
  if (disk.is_missing())
    return;
  disk.fill(8 * mebibyte);
  auto directory = data_dir::open(disk.path() / "data", open_mode::write);
  REQUIRE(directory);
  auto opened = open_lmdb_tables(*directory);
  REQUIRE(opened);
  auto& store = **opened;
  int rows = 0;
  status last;
  while ((last = put_rows(store, rows, rows + 100, 1000)))
    rows += 100;
  INFO(last.error().detail);
  CHECK(last.code() == ec::no_space);
  CHECK(rows > 1000);
  CHECK(has_rows(store, rows, 1000));
  CHECK(rows_of(store, table::live).size() == std::size_t(rows));
  CHECK(put_rows(store, rows, rows + 100, 1000).code() == ec::no_space);
  CHECK(has_rows(store, rows, 1000));
  disk.clear();
  REQUIRE(update(store,
                 [&](table_writer& x) -> status {
                   for (int i = rows - 500; i < rows; ++i)
                     if (auto gone = x.erase(table::live, bytes_of(key_of(i))); !gone)
                       return gone.error();
                   return {};
                 })
              .code()
          == ec::none);
  CHECK(put_rows(store, rows - 500, rows - 300, 1000).code() == ec::none);
  opened->reset();
  opened = open_lmdb_tables(*directory);
  REQUIRE(opened);
  CHECK(has_rows(**opened, rows - 300, 1000));
  CHECK((*opened)->check([](auto&) {})->problems == 0);
}

TEST_CASE("a file that is cut off under its process ends it with a clear line",
          "[storage][tables]") {
  lmdb_fixture x;
  REQUIRE(put_rows(*x.store, 0, 5000, 1000).code() == ec::none);
  x.close();
  child_process cut{[&](int) {
    if (!x.open())
      return 1;
    std::filesystem::resize_file(x.file(), 8192);
    return has_rows(*x.store, 5000, 1000) ? 2 : 3;
  }};
  CHECK(cut.wait() == damaged_map_exit_code);
  auto line = cut.errors();
  INFO(line);
  CHECK(line.find(x.file().string() + " was cut off") != std::string::npos);
  CHECK(line.find("troupe verify") != std::string::npos);
}

TEST_CASE("a signal that is not about the snapshot goes where it went", "[storage][tables]") {
  child_process other{[](int) {
    lmdb_fixture x;
    *static_cast<volatile int*>(nullptr) = 1;
    return 0;
  }};
  auto code = other.wait();
  CHECK(code != 0);
  CHECK(code != damaged_map_exit_code);
}

TEST_CASE("nothing that was acknowledged is lost when the writer is killed", "[storage][tables]") {
  auto seed = std::random_device{}();
  std::cout << "killed writer: seed " << seed << std::endl;
  std::mt19937_64 random{seed};
  lmdb_fixture x;
  x.close();
  int known = 0;
  for (int round = 0; round < 25; ++round) {
    child_process writer{[&](int said) {
      if (!x.open())
        return 1;
      for (int i = known;; ++i) {
        if (!put_rows(*x.store, i, i + 1, 100 + static_cast<std::size_t>(i % 5000)))
          return 2;
        if (::write(said, &i, sizeof i) != sizeof i)
          return 3;
      }
    }};
    auto wanted = 1 + random() % 60;
    auto told = writer.read(wanted * sizeof(int));
    REQUIRE(told.size() == wanted * sizeof(int));
    writer.kill();
    told += writer.read(1 << 20);
    REQUIRE(writer.wait() == 128 + SIGKILL);
    auto acknowledged = known + static_cast<int>(told.size() / sizeof(int));
    lmdb_options options;
    options.check_first = options.expect_existing = round > 0;
    REQUIRE(x.open(options).code() == ec::none);
    auto rows = rows_of(*x.store, table::live);
    CHECK(static_cast<int>(rows.size()) >= acknowledged);
    CHECK(static_cast<int>(rows.size()) <= acknowledged + 1);
    for (int i = 0; i < static_cast<int>(rows.size()); ++i)
      REQUIRE(rows.at(key_of(i)).size() == 100 + static_cast<std::size_t>(i % 5000));
    known = static_cast<int>(rows.size());
    x.close();
  }
  CHECK(known > 25);
}
