#include "storage/map_guard.hpp"
#include "storage/own_thread.hpp"
#include "tests/storage/child_process.hpp"
#include "tests/storage/tables_fixture.hpp"

#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <thread>

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;

namespace {

constexpr std::size_t page_bytes = 4096;

using models = std::array<model, tables>;

/// A small store with pages of every kind: branches, leaves, large rows, lists of free pages.
models fill(lmdb_fixture& x) {
  models rows;
  for (int round = 0; round < 6; ++round)
    REQUIRE(update(*x.store,
                   [&](table_writer& w) {
                     for (int i = 0; i < 40; ++i) {
                       auto in = static_cast<std::size_t>(i % 3);
                       auto key =
                           "key" + std::to_string(i * 37 % 100) + std::string(i % 7 * 60, 'k');
                       std::string value(i == 7 ? 9000 : 50 + static_cast<std::size_t>(i) * 5,
                                         static_cast<char>('a' + round));
                       rows[in][key] = value;
                       if (auto put = w.put(table(in), bytes_of(key), bytes_of(value)); !put)
                         return put;
                     }
                     return status{};
                   })
                .code()
            == ec::none);
  return rows;
}

/// LMDB trusts what an unchecked page says of lengths, which a sanitizer does not let pass.
bool is_sanitized(const std::string& said) {
  return said.find("Sanitizer") != said.npos && said.find("liblmdb") != said.npos;
}

/// What the file has at a place, changed for as long as this is there.
class flipped {
public:
  flipped(const std::filesystem::path& file, std::size_t at, std::uint8_t bits)
      : fd_(::open(file.c_str(), O_RDWR | O_CLOEXEC)), at_(static_cast<off_t>(at)) {
    REQUIRE(::pread(fd_, &was_, 1, at_) == 1);
    write(was_ ^ bits);
  }
  ~flipped() {
    write(was_);
    ::close(fd_);
  }

private:
  void write(int byte) {
    auto x = static_cast<std::uint8_t>(byte);
    REQUIRE(::pwrite(fd_, &x, 1, at_) == 1);
  }

  int fd_;
  off_t at_;
  std::uint8_t was_ = 0;
};

enum verdict { right = 0, refused = 10, lost_rows = 11, wrong_rows = 12 };

/// Whether a walk or look-ups of one table give anything but what was put.
verdict judge(table_reader& reader, table in, const model& expected) {
  auto worst = right;
  auto found = rows_of(reader, in);
  if (found.contains("error"))
    return refused;
  for (auto& [key, value] : found)
    if (!expected.contains(key) || expected.at(key) != value)
      return wrong_rows;
  if (found.size() != expected.size())
    worst = lost_rows;
  for (auto& [key, value] : expected) {
    auto got = get(reader, in, key);
    if (got == "none")
      worst = lost_rows;
    else if (got == to_string(ec::journal_corrupt))
      return refused;
    else if (got != value)
      return wrong_rows;
  }
  return worst;
}

verdict judge(table_store& store, const models& expected) {
  auto reader = store.read();
  if (!reader)
    return refused;
  auto worst = right;
  for (std::size_t i = 0; i < tables; ++i)
    if (auto found = judge(**reader, table(i), expected[i]); found > worst)
      worst = found;
  return worst;
}

/// Opens, reads all and writes a little, as a child whose end is the answer.
int use(lmdb_fixture& x, const models& expected, bool check_first) {
  lmdb_options options;
  options.check_first = check_first;
  options.expect_existing = true;
  if (auto opened = x.open(options); !opened)
    return opened.code() == ec::journal_corrupt ? refused : 1;
  if (auto found = judge(*x.store, expected); found != right)
    return found;
  auto written = update(*x.store, [](table_writer& w) {
    return w.put(table::rows, bytes_of("new"), core::bytes(20'000, 1));
  });
  // LMDB itself ends some damaged commits with an error of a write; what was there must stay.
  if (written.code() == ec::journal_corrupt || written.code() == ec::io_failed
      || written.code() == ec::no_space)
    return judge(*x.store, expected) == wrong_rows ? wrong_rows : refused;
  if (!written)
    return 2;
  return judge(*x.store, expected) == right || expected[size_t(table::rows)].empty() ? 0 : 3;
}

std::uint64_t problems_in(const lmdb_fixture& x, std::string* first = nullptr) {
  auto directory = data_dir::open(x.temporary.path, open_mode::read);
  REQUIRE(directory);
  auto found = check_lmdb_file(*directory, [&](const lmdb_problem& p) {
    if (first && first->empty())
      *first = to_string(p);
  });
  REQUIRE(found);
  return found->problems;
}

core::bytes content_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void restore(const std::filesystem::path& file, const core::bytes& content) {
  std::ofstream out{file, std::ios::binary};
  out.write(reinterpret_cast<const char*>(content.data()),
            static_cast<std::streamsize>(content.size()));
}

/// Places of a page where a flip is tried: all of its head and first offsets, some of the rest.
std::vector<std::size_t> places(std::size_t page, std::mt19937_64& random, int others) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < (page < 2 ? 152 : 24); ++i)
    found.push_back(page * page_bytes + i);
  for (int i = 0; i < others; ++i)
    found.push_back(page * page_bytes + random() % page_bytes);
  return found;
}

} // namespace

TEST_CASE("a sound store has no problems, however it was changed", "[storage][tables]") {
  lmdb_fixture x;
  auto rows = fill(x);
  std::size_t count = 0;
  for (auto& in : rows)
    count += in.size();
  auto found = x.store->check([](const lmdb_problem& p) { UNSCOPED_INFO(to_string(p)); });
  REQUIRE(found);
  CHECK(found->problems == 0);
  CHECK(found->rows == count);
  CHECK(found->compared == tables);
  x.close();
  CHECK(problems_in(x) == 0);
}

TEST_CASE("a changed byte of a row is never read, and is told with its key", "[storage][tables]") {
  lmdb_fixture x;
  put(*x.store, table::done, "some key", "a value to be damaged");
  x.close();
  auto content = content_of(x.file());
  core::bytes value = bytes_of("value to be damaged");
  auto at = std::search(content.begin(), content.end(), value.begin(), value.end());
  REQUIRE(at != content.end());
  for (std::size_t i = 0; i < value.size(); i += 5) {
    flipped byte{x.file(), static_cast<std::size_t>(at - content.begin()) + i, 1};
    std::string first;
    CHECK(problems_in(x, &first) > 0);
    CHECK(first.find("table done, key 736f6d65206b6579: wrong checksum") != std::string::npos);
    REQUIRE(x.open());
    CHECK(get(*x.store, table::done, "some key") == to_string(ec::journal_corrupt));
    CHECK(rows_of(*x.store, table::done).contains("error"));
    auto reader = x.store->read();
    REQUIRE(reader);
    CHECK(rows_of(**reader, table::done, false).contains("error"));
    CHECK((*reader)->cursor(table::done)->seek_before(bytes_of("some")).code()
          == ec::journal_corrupt);
    reader->reset();
    auto written = update(*x.store, [](table_writer& w) {
      return w.put(table::done, bytes_of("some key"), bytes_of("new"));
    });
    CHECK(written.code() == ec::journal_corrupt); // Its totals could not be told any more.
    x.close();
  }
}

TEST_CASE("a damaged row can be erased, is told once, and the rest counts as before",
          "[storage][tables]") {
  auto size = GENERATE(std::size_t{50}, std::size_t{20'000}); // In a leaf; on pages of its own.
  lmdb_fixture x;
  REQUIRE(update(*x.store, [&](table_writer& w) { // At once: there are no older pages with it.
    status done;
    for (std::string key : {"a", "b", "c"})
      if (done)
        done = w.put(table::chunks, bytes_of(key),
                     bytes_of(key + std::string(size, 'x') + "end of " + key));
    return done;
  }));
  x.close();
  auto content = content_of(x.file());
  core::bytes value = bytes_of("end of b");
  auto at = std::search(content.begin(), content.end(), value.begin(), value.end());
  REQUIRE(at != content.end());
  flipped byte{x.file(), static_cast<std::size_t>(at - content.begin()), 1};
  REQUIRE(problems_in(x) > 0);
  std::vector<std::string> told;
  lmdb_options options;
  options.removed = [&](const lmdb_problem& p) { told.push_back(to_string(p)); };
  REQUIRE(x.open(options));
  erase(*x.store, table::chunks, "b");
  CHECK(told == std::vector<std::string>{"table chunks, key 62: wrong checksum"});
  CHECK(rows_of(*x.store, table::chunks).size() == 2);
  CHECK(get(*x.store, table::chunks, "b") == "none");
  erase(*x.store, table::chunks, "a");
  CHECK(told.size() == 1);
  x.close();
  CHECK(problems_in(x) == 0);
}

TEST_CASE("a damaged row stays if what says where it lies is damaged, too", "[storage][tables]") {
  lmdb_fixture x;
  put(*x.store, table::chunks, "key", std::string(20'000, 'x') + "the end");
  x.close();
  auto content = content_of(x.file());
  core::bytes value = bytes_of("the end"), start(64, 'x');
  auto end = std::search(content.begin(), content.end(), value.begin(), value.end());
  auto begin = std::search(content.begin(), content.end(), start.begin(), start.end());
  auto first = static_cast<std::size_t>(begin - content.begin());
  REQUIRE(first % page_bytes == 16);
  flipped row{x.file(), static_cast<std::size_t>(end - content.begin()), 1};
  flipped pages{x.file(), first - 4, 1}; // How many pages it takes.
  REQUIRE(x.open());
  auto erased = update(*x.store, [](table_writer& w) -> status {
    auto gone = w.erase(table::chunks, bytes_of("key"));
    return gone ? status{} : status{gone.error()};
  });
  CHECK(erased.code() == ec::journal_corrupt);
  x.close();
}

TEST_CASE("a flip that changes what can be read is found by the check", "[storage][tables]") {
  auto seed = std::random_device{}();
  std::cout << "flips that the check must find: seed " << seed << std::endl;
  std::mt19937_64 random{seed};
  lmdb_fixture x;
  auto rows = fill(x);
  x.close();
  auto content = content_of(x.file());
  int flips = 0, found = 0;
  for (std::size_t page = 0; page < content.size() / page_bytes; ++page)
    for (auto at : places(page, random, 100)) {
      auto bits = static_cast<std::uint8_t>(1u << random() % 8);
      CAPTURE(seed, page, at % page_bytes, int(bits));
      ++flips;
      flipped byte{x.file(), at, bits};
      if (problems_in(x) > 0) {
        ++found;
        continue;
      }
      if (random() % 24 != 0) // A process for each would take long.
        continue;
      auto before = content_of(x.file());
      {
        child_process user{[&](int) { return use(x, rows, true); }};
        REQUIRE(user.wait() == right);
      }
      restore(x.file(), before);
    }
  std::cout << flips << " flips in " << content.size() / page_bytes << " pages, " << found
            << " found" << std::endl;
  CHECK(found > 500);
  CHECK(problems_in(x) == 0);
}

TEST_CASE("a damaged page ends in an error or a clear exit, never in wrong rows",
          "[storage][tables]") {
  auto seed = std::random_device{}();
  std::cout << "damage without a check: seed " << seed << std::endl;
  std::mt19937_64 random{seed};
  lmdb_fixture x;
  auto rows = fill(x);
  x.close();
  auto content = content_of(x.file());
  std::map<int, int> ends;
  for (int trial = 0; trial < 300; ++trial) {
    auto damaged = content;
    auto page = random() % (content.size() / page_bytes);
    if (trial % 4 == 0) {
      for (std::size_t i = 0; i < page_bytes; ++i)
        damaged[page * page_bytes + i] = static_cast<std::uint8_t>(random());
    } else {
      auto all = places(page, random, 20);
      damaged[all[random() % all.size()]] ^= static_cast<std::uint8_t>(1u << random() % 8);
    }
    restore(x.file(), damaged);
    bool check_first = trial % 3 == 0;
    child_process user{[&](int) { return use(x, rows, check_first); }};
    auto end = user.wait();
    auto said = user.errors();
    ++ends[end];
    CAPTURE(seed, trial, page, end, said);
    CHECK((end == right || end == refused || (!check_first && end == lost_rows)
           || (!check_first && end == damaged_map_exit_code)
           || (!check_first && is_sanitized(said))));
    if (end == lost_rows)
      CHECK(problems_in(x) > 0);
  }
  for (auto [end, count] : ends)
    std::cout << "ended with " << end << ": " << count << std::endl;
  restore(x.file(), content);
  CHECK(use(x, rows, true) == right);
}

TEST_CASE("a commit that LMDB refuses for a damaged page leaves what was there",
          "[storage][tables]") {
  lmdb_fixture x;
  auto rows = fill(x);
  x.close();
  auto content = content_of(x.file());
  constexpr std::size_t flags_at = 10, overflow_bit = 4;
  for (std::size_t page = 2; page < content.size() / page_bytes; ++page) {
    auto damaged = content;
    damaged[page * page_bytes + flags_at] ^= overflow_bit;
    restore(x.file(), damaged);
    child_process user{[&](int) { return use(x, rows, false); }};
    auto end = user.wait();
    auto said = user.errors();
    CAPTURE(page, end, said);
    CHECK((end == right || end == refused || end == lost_rows || end == damaged_map_exit_code
           || is_sanitized(said)));
  }
}

TEST_CASE("a fault of the map within a thread of the store ends the process with a word",
          "[storage][tables]") {
  lmdb_fixture x;
  auto rows = fill(x);
  x.close();
  child_process user{[&](int) {
    lmdb_options options;
    options.expect_existing = true;
    if (auto opened = x.open(options); !opened)
      return 1;
    // As by another process, under a map that is in use.
    if (::truncate(x.file().c_str(), 2 * page_bytes) != 0)
      return 2;
    own_thread([&] { (void)judge(*x.store, rows); }).join();
    return 3;
  }};
  CHECK(user.wait() == damaged_map_exit_code);
  CHECK(user.errors().find(x.file().string()) != std::string::npos);
}

TEST_CASE("a fault of the map ends the process also if nobody reads the word",
          "[storage][tables]") {
  lmdb_fixture x;
  auto rows = fill(x);
  x.close();
  child_process user{[&](int) {
    ::alarm(60); // Then the test has failed.
    ::fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
    while (::write(STDERR_FILENO, "x", 1) == 1) {
    }
    ::fcntl(STDERR_FILENO, F_SETFL, 0); // As a standard error is.
    lmdb_options options;
    options.expect_existing = true;
    if (auto opened = x.open(options); !opened)
      return 1;
    if (::truncate(x.file().c_str(), 2 * page_bytes) != 0)
      return 2;
    (void)judge(*x.store, rows);
    return 3;
  }};
  CHECK(user.wait() == damaged_map_exit_code);
}

TEST_CASE("a check beside a writer in short slices finds no problem", "[storage][tables]") {
  lmdb_fixture x;
  REQUIRE(update(*x.store,
                 [](table_writer& w) {
                   for (int i = 0; i < 20'000; ++i)
                     if (auto done =
                             w.put(table(i % 4), bytes_of(std::to_string(i)), core::bytes(200, 1));
                         !done)
                       return done;
                   return status{};
                 })
              .code()
          == ec::none);
  std::atomic<bool> stop = false;
  std::atomic<int> failed = 0;
  std::jthread writer{[&] {
    for (int i = 0; !stop; ++i) {
      auto done = update(*x.store, [i](table_writer& w) {
        return w.put(table(i % 2), bytes_of(std::to_string(i * 7919 % 20'000)),
                     bytes_of(std::to_string(i)));
      });
      failed += !done;
    }
  }};
  std::uint64_t compared = 0;
  for (int i = 0; i < 5; ++i) {
    auto found = x.store->check([](const lmdb_problem& p) { UNSCOPED_INFO(to_string(p)); },
                                std::chrono::milliseconds(2));
    REQUIRE(found);
    CHECK(found->problems == 0);
    CHECK(found->rows >= 20'000);
    compared += found->compared;
  }
  stop = true;
  writer.join();
  CHECK(failed == 0);
  CHECK(compared >= 5 * (tables - 2)); // Tables that did not change meanwhile.
}

TEST_CASE("rows that vanished or came without a transaction are found", "[storage][tables]") {
  lmdb_fixture x;
  put(*x.store, table::live, "a", std::string(100, 'a'));
  put(*x.store, table::live, "b", std::string(100, 'b'));
  x.close();
  auto old = content_of(x.file());
  REQUIRE(x.open());
  put(*x.store, table::live, "a", std::string(100, 'c'));
  x.close();
  auto now = content_of(x.file());
  REQUIRE(old.size() <= now.size());
  // Each page of before, one after the other, where another one is now: a write that was lost.
  int stale = 0;
  for (std::size_t at = 2 * page_bytes; at < old.size(); at += page_bytes) {
    auto mixed = now;
    std::copy_n(old.begin() + static_cast<std::ptrdiff_t>(at), page_bytes,
                mixed.begin() + static_cast<std::ptrdiff_t>(at));
    if (mixed == now)
      continue;
    ++stale;
    restore(x.file(), mixed);
    INFO("page " << at / page_bytes);
    CHECK(problems_in(x) > 0);
  }
  CHECK(stale > 0);
}
