#include "storage/journal_scan.hpp"
#include "storage/snapshot_read.hpp"
#include "tests/storage/storage_fixture.hpp"

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;

namespace {

constexpr file_journal_options pages{4096, 8192};
constexpr core::position batches = 24; ///< Batches of each shard.

/// Two shards side by side, each batch a write of its own; a snapshot holds those of both up to
/// `applied`.
struct half_applied {
  fault_files files;
  journal_applied known;
  std::uint64_t newest_segment = 0;
  std::map<std::string, std::vector<std::uint8_t>> segments;

  explicit half_applied(core::position applied, bool closed = true) {
    auto store = open_store(files, "/data", pages);
    auto& journal = *store->journal;
    auto one = *journal.open(shard_id{0}), two = *journal.open(shard_id{1});
    for (; one.head < batches; ++one.head, ++two.head) {
      REQUIRE(append(journal, batch_of(shard_id{0}, one, 150)).get().code() == ec::none);
      REQUIRE(append(journal, batch_of(shard_id{1}, two, 170)).get().code() == ec::none);
      if (one.head + 1 == applied) {
        known.shards = {{shard_id{0}, applied}, {shard_id{1}, applied}};
        known.resume = journal.resume_after(known.shards);
      }
    }
    newest_segment = journal.use().newest_segment;
    if (!closed)
      files.dies_at = 0;
    store->journal.reset();
    files.kill();
    std::vector<std::string> names;
    files.list("/data/journal", names);
    for (auto& name : names)
      if (is_segment(name))
        segments[name] = files.content("/data/journal/" + name);
  }

  void restore() {
    for (auto& [name, content] : segments)
      files.content("/data/journal/" + name) = content;
  }

  /// How far each shard goes behind the snapshot; nothing if the journal is refused.
  std::optional<core::position> reopen(const journal_applied& with) {
    auto options = pages;
    options.newest_segment_at_least = newest_segment;
    auto store = open_store(files, "/data", options, with);
    if (!store) {
      CHECK(store.code() == ec::journal_corrupt);
      return std::nullopt;
    }
    core::position sum = 0;
    for (auto [shard, applied] : known.shards) {
      auto at = store->journal->open(shard, {core::epoch{1}, applied});
      if (!at)
        return std::nullopt;
      CHECK(at->epoch == core::epoch{2});
      auto last = applied;
      auto read = store->journal->read(shard, applied + 1, [&](const batch& x) {
        CHECK(x.at == ++last);
        CHECK(x.records == records_of(shard, x.at, x.records.size()));
        return status{};
      });
      REQUIRE(read.code() == ec::none);
      CHECK(last == at->head);
      sum += last;
    }
    return sum;
  }

  /// The place that the snapshot remembers, as an offset in its segment.
  std::uint32_t resume_offset() const {
    return known.resume.batch == 0 ? segment_header_bytes : known.resume.batch + padded_bytes(170);
  }

  std::string name_of(std::uint64_t segment) const { return segment_path("", segment).string(); }
};

} // namespace

TEST_CASE("an open begins behind what the snapshot holds", "[storage]") {
  auto applied = GENERATE(core::position{1}, core::position{7}, core::position{12}, batches);
  CAPTURE(applied);
  half_applied x{applied};
  CHECK(x.known.resume.segment > 0);
  CHECK(x.reopen(x.known) == 2 * batches);
  // A second one begins there, too: nothing was written meanwhile.
  CHECK(x.reopen(x.known) == 2 * batches);
  auto store = open_store(x.files, "/data", pages, x.known);
  REQUIRE(store);
  CHECK(store->journal->read(shard_id{0}, applied, {}).code() == ec::journal_corrupt);
}

TEST_CASE("damage behind what the snapshot holds is told as without it, damage before is not read",
          "[storage]") {
  bool closed = GENERATE(true, false);
  CAPTURE(closed);
  half_applied x{15, closed};
  int before = 0, told = 0;
  for (auto& [name, content] : x.segments) {
    auto end = content.size();
    while (end > 0 && content[end - 1] == 0)
      --end;
    for (std::size_t i = 0; i < end; i += 7) {
      INFO(name << " byte " << i);
      auto is_before = name < x.name_of(x.known.resume.segment)
                       || (name == x.name_of(x.known.resume.segment) && i >= segment_header_bytes
                           && i < x.known.resume.batch);
      auto damage = [&] {
        x.restore();
        x.files.content("/data/journal/" + name)[i] ^= static_cast<std::uint8_t>(1 << i % 8);
      };
      damage();
      auto whole = x.reopen({{}, {}});
      damage();
      auto found = x.reopen(x.known);
      if (is_before) {
        REQUIRE(found == 2 * batches);
        REQUIRE_FALSE(whole);
        damage();
        auto directory = data_dir::open("/data", open_mode::read, options_for(x.files));
        REQUIRE(directory);
        REQUIRE(open_journal_reader(*directory).code() == ec::journal_corrupt);
      } else {
        REQUIRE(found == whole);
      }
      ++(is_before ? before : told);
    }
  }
  CHECK(before > 100);
  CHECK(told > 100);
}

TEST_CASE("a place that does not fit the journal is not believed", "[storage]") {
  half_applied x{15};
  auto& at = x.known.resume;
  std::vector<resume_point> wrong{{at.segment, at.batch, at.chain + 1},
                                  {at.segment, at.batch + batch_alignment, at.chain},
                                  {at.segment, 0, at.chain},
                                  {at.segment + 1, at.batch, at.chain},
                                  {at.segment + 100, 0, 0},
                                  {at.segment, 1 << 30, at.chain}};
  if (at.segment > 1)
    wrong.push_back({at.segment - 1, at.batch, at.chain});
  for (auto& point : wrong) {
    CAPTURE(point.segment, point.batch, point.chain);
    CHECK(x.reopen({point, x.known.shards}) == 2 * batches);
  }
  // A snapshot that is older than its place, or ahead of the journal.
  CHECK(x.reopen({at, {{shard_id{0}, 15}, {shard_id{1}, 3}}}) == 2 * batches);
  CHECK(x.reopen({at, {{shard_id{0}, 15}}}) == 2 * batches);
  auto options = pages;
  auto ahead = open_store(x.files, "/data", options, {at, {{shard_id{0}, 15}, {shard_id{1}, 99}}});
  REQUIRE(ahead);
  CHECK(ahead->journal->open(shard_id{1}, {core::epoch{1}, 99}).code() == ec::journal_corrupt);
}

TEST_CASE("a snapshot remembers no place beyond a batch that it lacks", "[storage]") {
  fault_files files;
  auto store = open_store(files, "/data", pages);
  auto& journal = *store->journal;
  append_all(journal, shard_id{0}, 40);
  append_all(journal, shard_id{1}, 40);
  CHECK(journal.resume_after({{shard_id{1}, 40}}) == resume_point{1, 0, 0});
  auto half = journal.resume_after({{shard_id{0}, 20}, {shard_id{1}, 40}});
  CHECK(half.segment > 1);
  auto all = journal.resume_after({{shard_id{0}, 40}, {shard_id{1}, 40}});
  CHECK(all.segment > half.segment);
  CHECK(journal.resume_after({{shard_id{0}, 40}, {shard_id{1}, 39}}).segment == all.segment);
  CHECK(journal.resume_after({{shard_id{0}, 40}, {shard_id{1}, 39}}) != all);
  journal.trim(shard_id{0}, 20);
  CHECK(journal.resume_after({{shard_id{1}, 40}}) == half);
}

TEST_CASE("a large segment is told from a torn end however much of it is damaged", "[storage]") {
  constexpr std::uint32_t mib = 1 << 20;
  fault_files files;
  constexpr file_journal_options large{40 * mib, 40 * mib};
  {
    auto store = open_store(files, "/data", large);
    append_all(*store->journal, shard_id{0}, 30, mib);
  }
  auto& content = files.content("/data/journal/0000000000000001.seg");
  auto from = content.begin() + 3 * mib;
  SECTION("by its last part") {
    std::fill(from, content.begin() + 29 * mib, 0);
    CHECK(open_store(files, "/data", large).code() == ec::journal_corrupt);
  }
  SECTION("and what one write may have left behind the end is cleared") {
    std::fill(from, content.end(), 0);
    auto torn = 10 * mib; // The first of a write of 8 MiB never came.
    content[torn] = 7;
    auto store = open_store(files, "/data", large);
    REQUIRE(store.code() == ec::none);
    CHECK(*read_all(*store->journal, shard_id{0}) == 2);
    CHECK(files.content("/data/journal/0000000000000001.seg")[torn] == 0);
  }
}
