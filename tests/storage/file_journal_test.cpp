#include "core/crc32c.hpp"
#include "storage/memory_journal.hpp"
#include "tests/storage/storage_fixture.hpp"

#include <algorithm>
#include <thread>

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;
using op = fault_files::op;

TEST_CASE("a journal gives back what it called durable, shard by shard", "[storage]") {
  fault_files files;
  {
    auto store = open_store(files, "/data");
    REQUIRE(store);
    append_all(*store->journal, shard_id{0}, 40);
    append_all(*store->journal, shard_id{3}, 25, 333);
    CHECK(*read_all(*store->journal, shard_id{0}) == 40);
  }
  auto store = open_store(files, "/data");
  REQUIRE(store);
  CHECK(store->journal->open(shard_id{0})->head == 40);
  CHECK(*read_all(*store->journal, shard_id{0}) == 40);
  CHECK(*read_all(*store->journal, shard_id{3}) == 25);
  CHECK(*read_all(*store->journal, shard_id{1}) == 0);
}

TEST_CASE("a read starts where it is asked to and stops at an error", "[storage]") {
  fault_files files;
  auto store = open_store(files, "/data");
  append_all(*store->journal, shard_id{0}, 60);
  core::position first = 0, last = 0;
  auto done = store->journal->read(shard_id{0}, 35, [&](const batch& x) {
    first = first ? first : x.at;
    last = x.at;
    return x.at == 50 ? status{ec::unknown_record} : status{};
  });
  CHECK(done.code() == ec::unknown_record);
  CHECK(first == 35);
  CHECK(last == 50);
}

TEST_CASE("a journal hands on several shards in order, reading each file once", "[storage]") {
  std::mutex mutex;
  std::map<std::filesystem::path, int> opened;
  fault_files files;
  files.before = [&](op what, const std::filesystem::path& name) {
    std::scoped_lock lock{mutex};
    if (what == op::open && is_segment(name))
      ++opened[name];
    return 0;
  };
  auto store = open_store(files, "/data");
  REQUIRE(store);
  for (int round = 0; round < 30; ++round)
    for (std::uint16_t i = 0; i < 3; ++i)
      append_all(*store->journal, shard_id{i}, 2);
  {
    std::scoped_lock lock{mutex};
    opened.clear();
  }
  journal::positions next{{shard_id{0}, 5}, {shard_id{2}, 15}};
  auto done = store->journal->read_all(next, [&](const batch& x) {
    REQUIRE(next.contains(x.shard));
    CHECK(x.at == next[x.shard]++);
    CHECK(x.records == records_of(x.shard, x.at));
    return status{};
  });
  CHECK(done.code() == ec::none);
  CHECK(next == journal::positions{{shard_id{0}, 61}, {shard_id{2}, 61}});
  std::scoped_lock lock{mutex};
  CHECK(opened.size() > 2);
  for (auto& [name, times] : opened)
    CHECK(times == 1);
}

TEST_CASE("each opening of a shard has a newer epoch, which fences the older", "[storage]") {
  fault_files files;
  auto store = open_store(files, "/data");
  auto& journal = *store->journal;
  auto old = *journal.open(shard_id{0});
  CHECK(old.epoch == core::epoch{1});
  CHECK(append(journal, batch_of(shard_id{0}, old)).get().code() == ec::none);
  auto now = *journal.open(shard_id{0});
  CHECK(now.epoch == core::epoch{2});
  CHECK(now.head == 1);
  CHECK(append(journal, batch_of(shard_id{0}, {old.epoch, 1})).get().code() == ec::fenced);
  CHECK(append(journal, batch_of(shard_id{0}, {now.epoch, 0})).get().code() == ec::fenced);
  CHECK(append(journal, batch_of(shard_id{0}, {now.epoch, 2})).get().code() == ec::fenced);
  CHECK(append(journal, batch_of(shard_id{1}, {now.epoch, 0})).get().code() == ec::fenced);
  CHECK(append(journal, batch_of(shard_id{0}, now)).get().code() == ec::none);
  *store = node_store{std::move(store->directory), nullptr};
  CHECK((*open_file_journal(store->directory, tiny))->open(shard_id{0})->epoch == core::epoch{3});
}

TEST_CASE("what arrives during a sync shares the next write, answered in order", "[storage]") {
  fault_files files;
  gate syncs;
  std::atomic<int> writes = 0;
  std::atomic<bool> armed = false;
  files.before = [&](op what, const file_ops::path& name) {
    if (armed && is_segment(name) && what == op::write)
      ++writes;
    if (armed && is_segment(name) && what == op::fdatasync)
      syncs.pass();
    return 0;
  };
  auto store = open_store(files, "/data");
  auto& journal = store->journal;
  armed = true;
  std::vector<opened> shards;
  for (std::uint16_t shard = 0; shard < 4; ++shard)
    shards.push_back(*journal->open(shard_id{shard}));
  std::vector<int> answered;
  std::promise<void> all;
  auto send = [&](std::uint16_t shard) {
    journal->append(batch_of(shard_id{shard}, shards[shard]), [&, shard](status outcome) {
      CHECK(outcome.code() == ec::none);
      answered.push_back(shard);
      if (answered.size() == 4)
        all.set_value();
    });
  };
  send(2);
  syncs.wait_for(1);
  send(3);
  send(0);
  send(1);
  CHECK(writes == 1);
  syncs.open();
  all.get_future().wait();
  CHECK(writes == 2);
  CHECK(answered == std::vector{2, 3, 0, 1});
}

TEST_CASE("nothing is answered before its sync returned", "[storage]") {
  fault_files files;
  gate syncs;
  std::atomic<bool> armed = false;
  files.before = [&](op what, const file_ops::path& name) {
    if (armed && is_segment(name) && what == op::fdatasync)
      syncs.pass();
    return 0;
  };
  auto store = open_store(files, "/data");
  auto& journal = store->journal;
  armed = true;
  auto answer = append(*journal, batch_of(shard_id{0}, *journal->open(shard_id{0})));
  syncs.wait_for(1);
  CHECK(answer.wait_for(std::chrono::seconds{0}) == std::future_status::timeout);
  syncs.open();
  CHECK(answer.get().code() == ec::none);
}

TEST_CASE("a batch larger than the next segment gets a segment that holds it", "[storage]") {
  fault_files files;
  {
    auto store = open_store(files, "/data");
    append_all(*store->journal, shard_id{0}, 2, 300);
    append_all(*store->journal, shard_id{1}, 2, 100'000);
    append_all(*store->journal, shard_id{2}, 2, 300);
  }
  auto store = open_store(files, "/data");
  REQUIRE(store);
  for (auto shard : {shard_id{0}, shard_id{1}, shard_id{2}})
    CHECK(*read_all(*store->journal, shard) == 2);
  auto at = *store->journal->open(shard_id{0});
  CHECK(append(*store->journal, batch_of(shard_id{0}, at, limits::batch_bytes_max)).get().code()
        == ec::none);
  ++at.head;
  CHECK(append(*store->journal, batch_of(shard_id{0}, at, limits::batch_bytes_max + 1)).get().code()
        == ec::too_large);
}

TEST_CASE("a failed sync fails the journal, is never retried, loses nothing told", "[storage]") {
  auto failing = GENERATE(op::fdatasync, op::write);
  fault_files files;
  auto store = open_store(files, "/data");
  append_all(*store->journal, shard_id{0}, 3);
  store->journal.reset();
  std::atomic<int> tried = 0;
  std::atomic<bool> armed = false;
  files.before = [&](op what, const file_ops::path& name) {
    return armed && is_segment(name) && what == failing && ++tried ? -EIO : 0;
  };
  {
    auto opened = open_file_journal(store->directory, tiny);
    REQUIRE(opened.code() == ec::none);
    auto& journal = **opened;
    armed = true;
    auto at = *journal.open(shard_id{0}), other = *journal.open(shard_id{1});
    auto refused = append(journal, batch_of(shard_id{0}, at)).get();
    CHECK(refused.code() == ec::journal_failed);
    CHECK(refused.error().detail.find("Input/output error") != std::string::npos);
    CHECK(append(journal, batch_of(shard_id{1}, other)).get().code() == ec::journal_failed);
    CHECK(journal.open(shard_id{1}).code() == ec::journal_failed);
  }
  CHECK(tried == 1);
  armed = false;
  auto journal = std::move(*open_file_journal(store->directory, tiny));
  CHECK(*read_all(*journal, shard_id{0}) >= 3);
}

namespace {

/// A file system in which nothing of the journal can be opened for a while.
struct short_files {
  fault_files files;
  std::atomic<int> refused = 0;
  std::atomic<bool> armed = false;
  std::vector<std::future<status>> told;

  explicit short_files(int failed) {
    files.before = [this, failed](op what, const file_ops::path& name) {
      auto ours = what == op::open && name.string().starts_with("/data/journal");
      return armed && ours && ++refused ? -failed : 0;
    };
  }

  /// More batches than the segments hold that are there.
  void append_many(journal& to) {
    auto at = *to.open(shard_id{0});
    armed = true;
    for (int i = 0; i < 30; ++i, ++at.head)
      told.push_back(append(to, batch_of(shard_id{0}, at, 500)));
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (refused < 3 && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
    CHECK(refused >= 3);
    CHECK(told.back().wait_for(std::chrono::seconds{0}) == std::future_status::timeout);
  }
};

} // namespace

TEST_CASE("too few descriptors for the next segment are waited for", "[storage]") {
  short_files x{GENERATE(EMFILE, ENFILE, ENOMEM)};
  auto store = open_store(x.files, "/data");
  x.append_many(*store->journal);
  x.armed = false;
  for (auto& answer : x.told)
    CHECK(answer.get().code() == ec::none);
  CHECK(*read_all(*store->journal, shard_id{0}) == x.told.size());
  store->journal.reset();
  CHECK(*read_all(**open_file_journal(store->directory, tiny), shard_id{0}) == x.told.size());
}

TEST_CASE("a journal that waits for descriptors can be closed", "[storage]") {
  short_files x{EMFILE};
  auto store = open_store(x.files, "/data");
  x.append_many(*store->journal);
  store->journal.reset();
  auto kept =
      std::size_t(std::ranges::count_if(x.told, [](auto& answer) { return bool(answer.get()); }));
  CHECK(kept < 30);
  x.armed = false;
  CHECK(*read_all(**open_file_journal(store->directory, tiny), shard_id{0}) >= kept);
}

TEST_CASE("a shortage of descriptors is told when it was waited for long enough", "[storage]") {
  short_files x{EMFILE};
  auto options = tiny;
  options.space_wait = {};
  auto store = open_store(x.files, "/data", options);
  auto at = *store->journal->open(shard_id{0});
  x.armed = true;
  status outcome;
  for (; outcome; ++at.head)
    outcome = append(*store->journal, batch_of(shard_id{0}, at, 500)).get();
  CHECK(outcome.code() == ec::journal_failed);
  CHECK(outcome.error().detail.find("Too many open files") != std::string::npos);
}

TEST_CASE("a failed sync leaves no batch to be seen that the disk does not hold", "[storage]") {
  fault_files files;
  std::atomic<bool> armed = false;
  files.before = [&](op what, const file_ops::path& name) {
    return armed && is_segment(name) && what == op::fdatasync ? -EIO : 0;
  };
  auto store = open_store(files, "/data");
  append_all(*store->journal, shard_id{0}, 3);
  armed = true;
  CHECK(append(*store->journal, batch_of(shard_id{0}, {core::epoch{1}, 3})).get().code()
        == ec::journal_failed);
  store->journal.reset();
  // The system shows the bytes, but holds them for written: only writing them again helps.
  files.forget_unsynced();
  armed = false;
  auto head = (*open_file_journal(store->directory, tiny))->open(shard_id{0})->head;
  files.lose_power(1);
  CHECK(open_store(files, "/data")->journal->open(shard_id{0})->head == head);
}

TEST_CASE("short writes are gone on with", "[storage]") {
  fault_files files;
  auto store = open_store(files, "/data");
  store->journal.reset();
  files.before = [](op what, const file_ops::path&) { return what == op::write ? 37 : 0; };
  {
    auto journal = std::move(*open_file_journal(store->directory, tiny));
    append_all(*journal, shard_id{0}, 10, 200);
  }
  files.before = nullptr;
  auto journal = std::move(*open_file_journal(store->directory, tiny));
  CHECK(*read_all(*journal, shard_id{0}) == 10);
}

TEST_CASE("a full disk is told as such, and the journal goes on when there is space", "[storage]") {
  fault_files files;
  auto store = open_store(files, "/data");
  append_all(*store->journal, shard_id{0}, 1);
  store->journal.reset();
  files.before = [](op what, const file_ops::path& name) {
    return what == op::write && !is_segment(name) ? -ENOSPC : 0;
  };
  core::position told = 1;
  {
    auto journal = std::move(*open_file_journal(store->directory, tiny));
    auto at = *journal->open(shard_id{0});
    status outcome;
    for (; outcome; at.head += outcome ? 1 : 0)
      outcome = append(*journal, batch_of(shard_id{0}, at, 500)).get();
    CHECK(outcome.code() == ec::no_space);
    CHECK(append(*journal, batch_of(shard_id{0}, at, 500)).get().code() != ec::none);
    told = at.head;
    CHECK(told > 1);
  }
  files.before = nullptr;
  auto journal = std::move(*open_file_journal(store->directory, tiny));
  CHECK(journal->open(shard_id{0})->head == told);
  append_all(*journal, shard_id{0}, 20, 500);
  CHECK(*read_all(*journal, shard_id{0}) == told + 20);
}

TEST_CASE("closing writes what has arrived", "[storage]") {
  fault_files files;
  std::vector<std::future<status>> answers;
  {
    auto store = open_store(files, "/data");
    for (std::uint16_t shard = 0; shard < 4; ++shard)
      answers.push_back(append(*store->journal,
                               batch_of(shard_id{shard}, *store->journal->open(shard_id{shard}))));
  }
  for (auto& answer : answers)
    CHECK(answer.get().code() == ec::none);
}

TEST_CASE("opening and closing without a batch does not grow the journal", "[storage]") {
  fault_files files;
  append_all(*open_store(files, "/data")->journal, shard_id{0}, 1);
  auto before = files.content("/data/journal/0000000000000001.seg");
  for (int i = 0; i < 5; ++i)
    REQUIRE(open_store(files, "/data").code() == ec::none);
  CHECK(files.content("/data/journal/0000000000000001.seg") == before);
}

TEST_CASE("a segment of a newer format is refused", "[storage]") {
  fault_files files;
  append_all(*open_store(files, "/data")->journal, shard_id{0}, 1);
  auto& segment = files.content("/data/journal/0000000000000001.seg");
  segment[11] = 2; // The version; its checksum is made right again.
  auto crc = core::crc32c(core::byte_view{segment}.first(124));
  for (std::size_t i = 0; i < 4; ++i)
    segment[124 + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
  CHECK(open_store(files, "/data").code() == ec::newer_format);
}

TEST_CASE("a journal in memory answers at once, fences, and keeps nothing", "[storage]") {
  auto journal = memory_journal();
  auto old = *journal->open(shard_id{0}), at = *journal->open(shard_id{0});
  CHECK(append(*journal, batch_of(shard_id{0}, old)).get().code() == ec::fenced);
  CHECK(append(*journal, batch_of(shard_id{0}, at)).get().code() == ec::none);
  CHECK(journal->open(shard_id{0})->head == 1);
  auto none = [](const batch&) { return status{}; };
  CHECK(journal->read(shard_id{0}, 1, none).code() == ec::unsupported);
  CHECK(journal->read(shard_id{0}, 2, none).code() == ec::none);
}
