#include "tests/storage/storage_fixture.hpp"

#include <thread>

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;

namespace {

/// A small journal of two shards over three segments, each batch a write of its own, and its files
/// as they were left.
struct small_journal {
  fault_files files;
  std::map<std::string, std::vector<std::uint8_t>> segments;
  core::position batches = 12; ///< Of each shard.

  explicit small_journal(bool closed) {
    auto store = open_store(files, "/data", {4096, 4096});
    auto one = *store->journal->open(shard_id{0}), two = *store->journal->open(shard_id{1});
    for (; one.head < batches; ++one.head, ++two.head) {
      REQUIRE(append(*store->journal, batch_of(shard_id{0}, one, 150)).get().code() == ec::none);
      REQUIRE(append(*store->journal, batch_of(shard_id{1}, two, 170)).get().code() == ec::none);
    }
    // Two are full or in use; the supply's thread prepares the third.
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (segment_names().size() < 3 && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
    REQUIRE(segment_names().size() == 3);
    if (!closed)
      files.dies_at = 0;
    store->journal.reset();
    files.kill();
    for (auto& name : segment_names())
      segments[name] = files.content(name);
  }

  std::vector<std::string> segment_names() {
    std::vector<std::string> names, found;
    files.list("/data/journal", names);
    for (auto& name : names)
      if (is_segment(name))
        found.push_back("/data/journal/" + name);
    return found;
  }

  /// Every byte of a segment that was written, and some of the zeros behind.
  static std::vector<std::size_t> places(const std::vector<std::uint8_t>& content) {
    std::size_t end = content.size();
    while (end > 0 && content[end - 1] == 0)
      --end;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < content.size(); i += i < end + 64 ? 1 : 61)
      places.push_back(i);
    return places;
  }

  void restore() {
    for (auto& [name, content] : segments)
      files.content(name) = content;
  }

  /// How many batches of both shards are there; nothing if opening refuses the journal.
  std::optional<core::position> reopen() {
    auto store = open_store(files, "/data", {4096, 4096});
    if (!store) {
      CHECK(store.code() == ec::journal_corrupt);
      CHECK(store.error().detail.find("/data/journal/") != std::string::npos);
      return std::nullopt;
    }
    auto one = read_all(*store->journal, shard_id{0}), two = read_all(*store->journal, shard_id{1});
    REQUIRE(one);
    REQUIRE(two);
    return *one + *two;
  }
};

} // namespace

TEST_CASE("every flipped byte of a closed journal is told, or was never acknowledged",
          "[storage]") {
  small_journal small{true};
  REQUIRE(small.segments.size() >= 3);
  int told = 0, harmless = 0;
  for (auto& [name, content] : small.segments)
    for (auto i : small.places(content)) {
      INFO(name << " byte " << i);
      small.restore();
      small.files.content(name)[i] ^= static_cast<std::uint8_t>(1 << i % 8);
      auto batches = small.reopen();
      if (batches)
        REQUIRE(*batches == 2 * small.batches);
      ++(batches ? harmless : told);
    }
  // Two segments are in use, each with its header.
  CHECK(told == static_cast<int>(2 * small.batches * padded_bytes(150) + 2 * segment_header_bytes));
  CHECK(harmless > 0);
}

TEST_CASE("after a crash a flipped byte is told, or lies in the last write", "[storage]") {
  small_journal small{false};
  auto all = 2 * small.batches;
  CHECK(small.reopen() == all);
  int cut = 0;
  for (auto& [name, content] : small.segments)
    for (auto i : small.places(content)) {
      INFO(name << " byte " << i);
      small.restore();
      small.files.content(name)[i] ^= static_cast<std::uint8_t>(1 << i % 8);
      auto batches = small.reopen();
      if (batches && *batches != all) {
        REQUIRE(*batches == all - 1);
        ++cut;
      }
    }
  CHECK(cut == static_cast<int>(padded_bytes(170)));
}

TEST_CASE("a journal that was cut short is told", "[storage]") {
  small_journal small{true};
  for (auto& [name, content] : small.segments) {
    bool used = std::any_of(content.begin(), content.end(), [](auto byte) { return byte != 0; });
    for (std::size_t size = 0; size < content.size(); size += size < 300 ? 1 : 13) {
      INFO(name << " cut to " << size);
      small.restore();
      small.files.content(name).resize(size);
      auto batches = small.reopen();
      if (used)
        REQUIRE_FALSE(batches);
    }
  }
}

TEST_CASE("a write torn at any byte is cut, and its place is used again", "[storage]") {
  small_journal small{false};
  auto all = 2 * small.batches;
  auto& [name, content] = *std::prev(small.segments.end(), 2); // The last one is not used yet.
  auto end = content.size();
  while (content[end - 1] == 0)
    --end;
  auto start = (end / 64 + 1) * 64 - padded_bytes(170);
  for (auto size = start; size < end; ++size) {
    INFO(name << " torn at " << size);
    small.restore();
    auto& torn = small.files.content(name);
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(size), torn.end(), 0);
    REQUIRE(small.reopen() == all - 1);
    append_all(*open_store(small.files, "/data", {4096, 4096})->journal, shard_id{1}, 1, 10);
    REQUIRE(small.reopen() == all);
  }
}

TEST_CASE("a missing last sector of a synced write is told although the next is whole",
          "[storage]") {
  fault_files files;
  {
    auto store = open_store(files, "/data");
    append_all(*store->journal, shard_id{0}, 1, 1000);
    append_all(*store->journal, shard_id{1}, 1, 1000);
    files.dies_at = 0;
  }
  files.kill();
  auto& content = files.content("/data/journal/0000000000000001.seg");
  std::fill(content.begin() + 1024, content.begin() + 1100, 0);
  auto refused = open_store(files, "/data");
  REQUIRE(refused.code() == ec::journal_corrupt);
  CHECK(refused.error().detail.find("at byte 128") != std::string::npos);
}

TEST_CASE("records that look like a batch do not pass for one behind a torn write", "[storage]") {
  fault_files files;
  {
    auto store = open_store(files, "/data");
    append_all(*store->journal, shard_id{0}, 2);
    auto image = files.content("/data/journal/0000000000000001.seg");
    auto at = *store->journal->open(shard_id{1});
    core::bytes records(64 * 10);
    std::copy_n(image.begin() + 128, records.size(), records.begin());
    REQUIRE(append(*store->journal, {shard_id{1}, at.epoch, 1, {}, records}).get().code()
            == ec::none);
    files.dies_at = 0;
  }
  files.kill();
  files.content("/data/journal/0000000000000001.seg")[128 + 2 * padded_bytes(100)] ^= 1;
  auto store = open_store(files, "/data");
  REQUIRE(store.code() == ec::none);
  CHECK(store->journal->open(shard_id{0})->head == 2);
  CHECK(store->journal->open(shard_id{1})->head == 0);
}
