#include "storage/data_pin.hpp"
#include "storage/journal_start.hpp"
#include "storage/segment_file.hpp"
#include "tests/storage/storage_fixture.hpp"

#include <fcntl.h>
#include <thread>

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;
using op = fault_files::op;

namespace {

constexpr file_journal_options one_page{4096, 4096};
constexpr std::uint16_t shards = 3;

/// Whether something that another thread does comes true.
bool comes_true(const std::function<bool()>& x) {
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!x()) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    std::this_thread::yield();
  }
  return true;
}

std::vector<std::uint64_t> segments_of(file_ops& files) {
  return *list_segments(files, "/data/journal");
}

/// What a snapshot remembers of a journal.
struct kept_state {
  std::map<shard_id, opened> shards;
  std::uint64_t newest_segment = 0;
  resume_point resume;

  journal_applied known() const {
    journal_applied x{resume, {}};
    for (auto& [shard, head] : shards)
      x.shards[shard] = head.head;
    return x;
  }

  file_journal_options options() const {
    auto x = one_page;
    x.newest_segment_at_least = newest_segment;
    return x;
  }
};

/// Two shards side by side over many segments; all but the newest `behind` of each are trimmed.
kept_state trimmed_journal(fault_files& files, core::position behind = 0) {
  auto store = open_store(files, "/data", one_page);
  std::map<shard_id, opened> at;
  for (auto shard : {shard_id{0}, shard_id{1}})
    at[shard] = *store->journal->open(shard);
  for (int i = 0; i < 60; ++i)
    for (auto& [shard, head] : at) {
      REQUIRE(append(*store->journal, batch_of(shard, head)).get().code() == ec::none);
      ++head.head;
    }
  kept_state kept;
  for (auto shard : {shard_id{0}, shard_id{1}}) {
    kept.shards[shard] = {core::epoch{1}, 60 - behind};
    store->journal->trim(shard, 60 - behind);
  }
  kept.newest_segment = store->journal->use().newest_segment;
  REQUIRE(comes_true([&] { return segments_of(files).front() > 1; }));
  return kept;
}

result<core::position> read_from(journal& journal, shard_id shard, core::position from) {
  core::position next = from;
  auto done = journal.read(shard, from, [&](const batch& x) {
    CHECK(x.at == next++);
    CHECK(x.records == records_of(shard, x.at, x.records.size()));
    return status{};
  });
  return done ? result<core::position>{next - 1} : done.error();
}

} // namespace

TEST_CASE("segments are recycled once every shard is past them", "[storage]") {
  fault_files files;
  auto store = open_store(files, "/data", one_page);
  auto& journal = *store->journal;
  append_all(journal, shard_id{0}, 60);
  append_all(journal, shard_id{1}, 60);
  auto many = segments_of(files).size();
  auto bytes = journal.use().bytes;
  REQUIRE(many > 5);
  CHECK(bytes >= many * 4096);

  journal.trim(shard_id{0}, 60);
  REQUIRE(comes_true([&] { return segments_of(files).front() > 3; }));
  CHECK(segments_of(files).size() > 3); // Those with batches of shard 1.
  journal.trim(shard_id{1}, 60);
  REQUIRE(comes_true([&] { return segments_of(files).size() <= 2; }));
  CHECK(comes_true([&] { return journal.use().bytes <= (2 + limits::journal_spares_max) * 4096; }));
  CHECK(list_spares(files, "/data/journal")->size() <= limits::journal_spares_max);
}

TEST_CASE("a journal whose snapshot keeps pace takes no new blocks", "[storage]") {
  fault_files files;
  auto store = open_store(files, "/data", one_page);
  auto& journal = *store->journal;
  auto at = *journal.open(shard_id{0});
  auto append_some = [&](int count) {
    for (; count > 0; --count, ++at.head) {
      REQUIRE(append(journal, batch_of(shard_id{0}, at, 900)).get().code() == ec::none);
      journal.trim(shard_id{0}, at.head);
      // The one before the last in use and a spare at least: the next comes out of those.
      REQUIRE(comes_true([&] { return journal.use().bytes <= 6 * 4096; }));
    }
  };
  append_some(30);
  files.before = [](op what, const file_ops::path& name) {
    return what == op::write && name.extension() == ".tmp" ? -ENOSPC : 0;
  };
  append_some(100);
  CHECK(at.head == 130);
}

TEST_CASE("a shard that is idle since a restart does not hold back the others' segments",
          "[storage]") {
  fault_files files;
  {
    auto store = open_store(files, "/data", one_page);
    append_all(*store->journal, shard_id{1}, 1);
    append_all(*store->journal, shard_id{0}, 1);
  }
  auto store = open_store(files, "/data", one_page);
  auto& journal = *store->journal;
  REQUIRE(journal.open(shard_id{1}, {core::epoch{1}, 1}));
  auto at = *journal.open(shard_id{0}, {core::epoch{1}, 1});
  for (int i = 0; i < 60; ++i, ++at.head)
    REQUIRE(append(journal, batch_of(shard_id{0}, at)).get().code() == ec::none);
  journal.trim(shard_id{0}, at.head);
  CHECK(comes_true([&] { return segments_of(files).size() <= 2; }));
}

TEST_CASE("a segment is smaller where a larger one does not fit", "[storage]") {
  fault_files files;
  auto first_size = [&] {
    auto store = open_store(files, "/data", {16 * 4096, 16 * 4096});
    REQUIRE(store.code() == ec::none);
    auto at = *store->journal->open(shard_id{0});
    REQUIRE(append(*store->journal, batch_of(shard_id{0}, at, 900)).get().code() == ec::none);
    return segment_view::open(files, "/data/journal", 1, O_RDONLY)->size();
  };
  SECTION("it takes at most half of what is free") {
    files.disk = {1000 * 4096, 10 * 4096};
    CHECK(first_size() == 4 * 4096);
  }
  SECTION("it is tried smaller and smaller") {
    int refused = 0;
    files.before = [&](op what, const file_ops::path& name) {
      return what == op::write && name.filename() == "prepared.tmp" && ++refused <= 2 ? -ENOSPC : 0;
    };
    CHECK(first_size() == 4 * 4096);
  }
  SECTION("it is as large as what it must hold") {
    files.disk = {1000 * 4096, 0};
    CHECK(first_size() == 4096);
  }
}

TEST_CASE("a journal that begins later continues its snapshot, and tells any other", "[storage]") {
  fault_files files;
  auto kept = trimmed_journal(files, 1);
  auto open_with = [&](core::position head) {
    auto store = open_store(files, "/data", kept.options());
    REQUIRE(store.code() == ec::none);
    return store->journal->open(shard_id{1}, {core::epoch{1}, head});
  };
  CHECK(segments_of(files).front() > 1);
  CHECK(open_with(59)->head == 60);
  CHECK(open_with(60)->head == 60);
  CHECK(open_with(59)->epoch == core::epoch{2});
  for (auto head : {core::position{0}, core::position{40}, core::position{61}}) {
    auto refused = open_with(head);
    REQUIRE(refused.code() == ec::journal_corrupt);
    CHECK(refused.error().detail.find("restore a backup") != std::string::npos);
  }
  auto store = open_store(files, "/data", kept.options());
  CHECK(*read_from(*store->journal, shard_id{1}, 60) == 60);
  CHECK(store->journal->read(shard_id{1}, 10, {}).code() == ec::journal_corrupt);
}

TEST_CASE("a shard without a batch left goes on after its snapshot", "[storage]") {
  fault_files files;
  kept_state kept = trimmed_journal(files);
  {
    auto store = open_store(files, "/data", kept.options());
    REQUIRE(store.code() == ec::none);
    CHECK(store->journal->open(shard_id{0}, {core::epoch{7}, 59}).code() == ec::journal_corrupt);
    auto at = *store->journal->open(shard_id{0}, {core::epoch{7}, 60});
    CHECK(at.epoch == core::epoch{8});
    CHECK(at.head == 60);
    CHECK(*read_from(*store->journal, shard_id{0}, 61) == 60);
    REQUIRE(append(*store->journal, batch_of(shard_id{0}, at)).get().code() == ec::none);
  }
  auto store = open_store(files, "/data", kept.options());
  auto at = *store->journal->open(shard_id{0}, {core::epoch{7}, 60});
  CHECK(at.epoch == core::epoch{9});
  CHECK(at.head == 61);
  CHECK(*read_from(*store->journal, shard_id{0}, 61) == 61);
}

TEST_CASE("a restored snapshot begins an empty journal where it ends", "[storage]") {
  fault_files files;
  {
    auto store = open_store(files, "/data", one_page);
    auto at = *store->journal->open(shard_id{2}, {core::epoch{4}, 17});
    REQUIRE(append(*store->journal, batch_of(shard_id{2}, at)).get().code() == ec::none);
  }
  auto store = open_store(files, "/data", one_page);
  CHECK(store->journal->open(shard_id{2}).code() == ec::journal_corrupt);
  CHECK(store->journal->open(shard_id{2}, {core::epoch{4}, 17})->head == 18);
  CHECK(store->journal->open(shard_id{1}, {core::epoch{4}, 9})->head == 9);
}

TEST_CASE("a segment that is missing is told, wherever it was", "[storage]") {
  fault_files files;
  auto kept = trimmed_journal(files, 30);
  auto numbers = segments_of(files);
  files.kill();
  auto is_told = [&](std::uint64_t from, std::uint64_t to) {
    std::map<std::string, std::vector<std::uint8_t>> gone;
    for (auto number = from; number <= to; ++number) {
      auto name = segment_path("/data/journal", number);
      gone[name.string()] = files.content(name);
      files.unlink(name);
    }
    auto opened = open_store(files, "/data", kept.options());
    for (auto& [name, content] : gone) {
      files.close(files.open(name, O_CREAT | O_WRONLY));
      files.content(name) = content;
    }
    INFO("segments " << from << " to " << to);
    REQUIRE(opened.code() == ec::journal_corrupt);
    auto& detail = opened.error().detail;
    CHECK(detail.find("/data/journal") != std::string::npos);
    CHECK(detail.find("restore a backup") != std::string::npos);
  };
  for (auto number : numbers)
    if (number <= kept.newest_segment)
      is_told(number, number);
  is_told(numbers.front() + 1, numbers.back());
  is_told(numbers.front(), numbers.back());
  CHECK(open_store(files, "/data", kept.options()).code() == ec::none);
}

TEST_CASE("a journal that a snapshot has seen is not taken for a new one", "[storage]") {
  fault_files files;
  append_all(*open_store(files, "/data", one_page)->journal, shard_id{0}, 3);
  for (auto number : segments_of(files))
    files.unlink(segment_path("/data/journal", number));
  auto options = one_page;
  options.newest_segment_at_least = 1;
  auto refused = open_store(files, "/data", options);
  REQUIRE(refused.code() == ec::journal_corrupt);
  CHECK(refused.error().detail.find("segment 1") != std::string::npos);
}

TEST_CASE("every flipped byte of the start is told, or changes nothing", "[storage]") {
  fault_files files;
  auto kept = trimmed_journal(files, 1);
  auto content = files.content("/data/journal/START");
  int told = 0;
  for (std::size_t i = 0; i < content.size(); i += i % 4096 < 80 ? 1 : 48) {
    INFO("byte " << i);
    files.content("/data/journal/START") = content;
    files.content("/data/journal/START")[i] ^= 1;
    auto store = open_store(files, "/data", kept.options());
    if (!store) {
      CHECK(store.code() == ec::journal_corrupt);
      ++told;
      continue;
    }
    CHECK(store->journal->open(shard_id{0}, kept.shards[shard_id{0}])->head == 60);
  }
  CHECK(told > 0);
}

TEST_CASE("nothing is recycled while anyone holds a pin", "[storage]") {
  temporary_directory temporary;
  auto store = open_store(system_files(), temporary.path, one_page);
  append_all(*store->journal, shard_id{0}, 60);
  auto directory = data_dir::open(temporary.path, open_mode::read, {});
  auto names = *list_segments(system_files(), store->directory.journal_path());
  {
    auto pin = data_pin::take(*directory);
    REQUIRE(pin);
    auto second = data_pin::take(*directory);
    REQUIRE(second);
    store->journal->trim(shard_id{0}, 60);
    append_all(*store->journal, shard_id{1}, 60); // Its thread has come by meanwhile.
    auto now = *list_segments(system_files(), store->directory.journal_path());
    CHECK(std::includes(now.begin(), now.end(), names.begin(), names.end()));
    auto reader = open_journal_reader(*directory);
    CHECK(reader->heads()[shard_id{0}] == 60);
  }
  CHECK(comes_true([&] {
    return list_segments(system_files(), store->directory.journal_path())->front() > names.front();
  }));
}

TEST_CASE("a reader beside a writer that trims sees no damage", "[storage]") {
  fault_files files;
  auto store = open_store(files, "/data", one_page);
  auto directory = data_dir::open("/data", open_mode::read, options_for(files));
  auto reader = open_journal_reader(*directory);
  REQUIRE(reader);
  constexpr core::position all = 1500;
  std::atomic<core::position> kept = 0;
  std::jthread writer{[&] {
    auto at = *store->journal->open(shard_id{0});
    for (; at.head < all; ++at.head) {
      if (append(*store->journal, batch_of(shard_id{0}, at, at.head % 700)).get().code()
          != ec::none)
        return;
      if (at.head % 20 == 0) {
        kept = at.head;
        store->journal->trim(shard_id{0}, at.head);
      }
    }
  }};
  int trimmed = 0;
  for (core::position seen = 0; seen < all;) {
    auto done = reader->refresh();
    INFO(done.error().detail);
    REQUIRE(done.code() == ec::none);
    auto head = reader->heads()[shard_id{0}];
    REQUIRE(head >= seen);
    seen = head;
    core::position next = kept + 1;
    auto read = reader->read(shard_id{0}, next, [&](const batch& x) {
      CHECK(x.at == next++);
      return status{};
    });
    INFO(read.error().detail);
    REQUIRE((read.code() == ec::none || read.code() == ec::not_ready));
    trimmed += read.code() == ec::not_ready;
    if (read)
      CHECK(next >= seen); // All that was seen, unless it was kept meanwhile.
  }
  writer.join();
  CHECK(trimmed < 100);
}

namespace {

/// Lives through power losses while a snapshot, which is always durable, lets the journal trim.
struct trimming_survivor {
  fault_files files;
  std::mt19937_64 random;
  kept_state kept;
  std::map<shard_id, core::position> told;
  std::map<std::pair<shard_id, core::position>, core::bytes> sent;

  explicit trimming_survivor(std::uint64_t seed) : random(seed) {}

  std::map<shard_id, opened> check(journal& journal) {
    std::map<shard_id, opened> at;
    for (std::uint16_t i = 0; i < shards; ++i) {
      shard_id shard{i};
      auto found = journal.open(shard, kept.shards[shard]);
      REQUIRE(found);
      CHECK(found->head >= told[shard]);
      CHECK(found->epoch > kept.shards[shard].epoch);
      auto next = kept.shards[shard].head + 1;
      auto done = journal.read(shard, next, [&](const batch& x) {
        CHECK(x.at == next++);
        CHECK(x.records == sent[{shard, x.at}]);
        return status{};
      });
      CHECK(done.code() == ec::none);
      CHECK(next == found->head + 1);
      told[shard] = found->head;
      at[shard] = *found;
    }
    return at;
  }

  /// One batch of a random shard; false if the process died.
  bool send(journal& journal, std::map<shard_id, opened>& at) {
    shard_id shard{static_cast<std::uint16_t>(random() % shards)};
    core::bytes records(random() % 1500);
    for (auto& byte : records)
      byte = static_cast<std::uint8_t>(random());
    auto& here = at[shard];
    sent[{shard, here.head + 1}] = records;
    if (append(journal, {shard, here.epoch, here.head + 1, {}, records}).get().code() != ec::none)
      return false;
    told[shard] = ++here.head;
    if (random() % 4 == 0) {
      kept.shards[shard] = here;
      kept.newest_segment = journal.use().newest_segment;
      kept.resume = random() % 4 == 0 ? resume_point{} : journal.resume_after({{shard, here.head}});
      journal.trim(shard, here.head);
    }
    return true;
  }

  void live_once() {
    files.dies_at = 1 + random() % 300;
    {
      auto store = open_store(files, "/data", kept.options(), kept.known());
      INFO((store ? "" : store.error().detail));
      REQUIRE((store || store.code() == ec::io_failed));
      if (store) {
        auto at = check(*store->journal);
        for (int i = 0; i < 60 && send(*store->journal, at); ++i)
          ;
      }
    }
    if (random() % 3 == 0)
      files.kill();
    else
      files.lose_power(random());
  }
};

} // namespace

TEST_CASE("every batch that was told survives power losses while segments are recycled",
          "[storage]") {
  auto base = Catch::rngSeed();
  for (std::uint64_t seed = base; seed < base + 30; ++seed) {
    INFO("seed " << seed);
    trimming_survivor one{seed};
    for (int life = 0; life < 10; ++life)
      one.live_once();
    auto store = open_store(one.files, "/data", one.kept.options(), one.kept.known());
    REQUIRE(store.code() == ec::none);
    one.check(*store->journal);
  }
}

TEST_CASE("a crash at each step of recycling loses nothing", "[storage]") {
  for (std::uint64_t step = 1; step < 140; ++step)
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      INFO("step " << step << ", seed " << seed);
      trimming_survivor one{seed};
      one.files.dies_at = step;
      if (auto store = open_store(one.files, "/data", one_page)) {
        auto at = one.check(*store->journal);
        for (int i = 0; i < 40 && one.send(*store->journal, at); ++i)
          ;
      }
      one.files.lose_power(seed);
      auto store = open_store(one.files, "/data", one.kept.options(), one.kept.known());
      REQUIRE(store.code() == ec::none);
      one.check(*store->journal);
    }
}

TEST_CASE("what a process left unsynced is durable before more is recycled", "[storage]") {
  int left = 0;
  for (std::uint64_t step = 20; step < 140; ++step) {
    INFO("step " << step);
    trimming_survivor one{step};
    std::optional<manifest> about;
    auto read = [&] { return read_start({&one.files, "/data/journal", about->owner, shards}); };
    auto is_left = [&](const auto& start) { // A segment that is not needed.
      auto numbers = segments_of(one.files);
      return start && !numbers.empty() && numbers.front() < start->first;
    };
    one.files.dies_at = step;
    if (auto store = open_store(one.files, "/data", one_page)) {
      about = store->directory.about();
      auto at = one.check(*store->journal);
      for (int i = 0; i < 40 && one.send(*store->journal, at); ++i)
        ;
    }
    one.files.kill(); // The system goes on to show what was not synced.
    if (about)
      left += is_left(read());
    if (auto store = open_store(one.files, "/data", one.kept.options(), one.kept.known())) {
      about = store->directory.about();
      auto start = read();
      INFO((start ? "" : start.error().detail));
      REQUIRE(start);
      REQUIRE(comes_true([&] { return !is_left(start); }));
    }
    one.files.lose_power(step);
    auto store = open_store(one.files, "/data", one.kept.options(), one.kept.known());
    INFO((store ? "" : store.error().detail));
    REQUIRE(store.code() == ec::none);
    one.check(*store->journal);
  }
  CHECK(left > 0);
}
