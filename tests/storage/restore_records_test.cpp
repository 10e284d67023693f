#include "storage/restore_records.hpp"

#include "core/place.hpp"
#include "storage/data_pin.hpp"
#include "tests/storage/store_history.hpp"

#include <sys/stat.h>

using namespace troupe;
using namespace troupe::test;

namespace {

core::record record_of(job_id id, core::record_body body) {
  return {{}, {}, id, core::shard_time{std::chrono::seconds{1'800'000'000}}, std::move(body)};
}

/// A pending job whose records are paused and requeued as often as it takes.
core::record_group job_of_size(job_id id, const graph_id& graph, std::size_t bytes) {
  core::job_added added;
  added.queue = "queue1";
  added.graph = graph;
  core::record_group all{record_of(id, added)};
  std::string reason(60'000, 'r');
  for (std::size_t size = 0; size < bytes; size += 2 * reason.size()) {
    all.push_back(
        record_of(id, core::job_moved{job_state::pending, job_state::paused, reason, {}}));
    all.push_back(
        record_of(id, core::job_moved{job_state::paused, job_state::pending, reason, {}}));
  }
  return all;
}

struct writer_fixture {
  temporary_directory temporary;
  store_history history{temporary.path / "data", 7};
  core::id_source ids;
  std::mt19937_64 random{7};
  core::random_bits bits{[this] { return random(); }};

  writer_fixture() {
    history.run(100);
    history.close();
  }

  job_id next_id() {
    return ids.next(core::place({}, "queue1"),
                    core::shard_time{std::chrono::seconds{1'800'100'000}}, bits);
  }

  storage::verify_report check() const {
    storage::verify_options options;
    options.graphs = [known = history.graphs()](const graph_id& id, core::byte_view text) {
      return known(id, text);
    };
    auto report = storage::verify(history.path(), options);
    REQUIRE(report);
    return std::move(*report);
  }
};

/// The names of its files, with the numbers of what they are.
std::set<std::pair<std::string, ino_t>> journal_of(const std::filesystem::path& data) {
  std::set<std::pair<std::string, ino_t>> files;
  for (auto& entry : std::filesystem::directory_iterator{data / "journal"}) {
    struct stat about {};
    REQUIRE(::stat(entry.path().c_str(), &about) == 0);
    files.emplace(entry.path().filename().string(), about.st_ino);
  }
  return files;
}

} // namespace

TEST_CASE("jobs that are taken in are there, and the journal goes on behind them",
          "[storage][restore]") {
  writer_fixture store;
  auto id = store.next_id();
  auto taken_in = [&](storage::record_writer& writer) {
    CHECK(*writer.has(id));
    CHECK(writer.row({{{}, "queue1"}, "a key"})->value() == core::bytes{1, 2});
  };
  {
    auto writer = storage::record_writer::open(store.history.path());
    REQUIRE(writer);
    CHECK_FALSE(*writer->has(id));
    REQUIRE(writer->add(job_of_size(id, store.history.any_graph(), 100)));
    REQUIRE(writer->add_row(record_of({}, core::row_written{"queue1", "a key", {1, 2}})));
    taken_in(*writer);
    REQUIRE(writer->flush());
    taken_in(*writer);
  }
  auto again = storage::record_writer::open(store.history.path());
  REQUIRE(again);
  taken_in(*again);
}

TEST_CASE("the key of a request stays with its newest job, whatever is imported later",
          "[storage][restore]") {
  writer_fixture store;
  auto older = store.next_id(), newer = store.next_id();
  for (auto id : {newer, older}) {
    core::job_added added;
    added.queue = "queue1";
    added.graph = store.history.any_graph();
    added.idempotency_key = "a key of both";
    added.request_digest = core::bytes(32, 1);
    auto writer = storage::record_writer::open(store.history.path());
    REQUIRE(writer);
    REQUIRE(writer->add({record_of(id, added)}));
    REQUIRE(writer->flush());
  }
  auto report = store.check();
  INFO(text_of(report));
  CHECK(report.clean());
  auto directory = storage::data_dir::open(store.history.path(), storage::open_mode::read);
  auto tables = storage::open_lmdb_tables(*directory);
  REQUIRE(tables);
  auto reader = (*tables)->read();
  REQUIRE(reader);
  auto shard = core::shard_of(slot_of(newer), store.history.shards());
  auto found = storage::snapshot_read{**reader, shard}.request({{{}, "queue1"}, "a key of both"});
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->id == newer);
}

TEST_CASE("a job with more records than a batch holds comes in whole", "[storage][restore]") {
  writer_fixture store;
  job_id id = store.next_id();
  {
    auto writer = storage::record_writer::open(store.history.path());
    REQUIRE(writer);
    REQUIRE(writer->flush());
    REQUIRE(writer->add(job_of_size(id, store.history.any_graph(), 3 * limits::batch_bytes_max)));
    REQUIRE(writer->flush());
  }
  auto report = store.check();
  INFO(text_of(report));
  CHECK(report.clean());

  auto directory = storage::data_dir::open(store.history.path(), storage::open_mode::write);
  REQUIRE(directory);
  auto tables = storage::open_lmdb_tables(*directory);
  REQUIRE(tables);
  auto journal = storage::open_file_journal(*directory, tiny);
  REQUIRE(journal);
  auto reader = (*tables)->read();
  for (std::uint16_t i = 0; i < store.history.shards(); ++i) {
    auto meta = storage::snapshot_read{**reader, shard_id{i}}.meta();
    REQUIRE(meta);
    auto at = (*journal)->open(shard_id{i}, {meta->epoch, meta->applied});
    REQUIRE(at);
    CHECK(at->head == meta->applied);
    CHECK(at->epoch > meta->epoch);
    CHECK(append(**journal, batch_of(shard_id{i}, *at)).get().code() == ec::none);
  }
}

TEST_CASE("of a job with a record beyond the limit nothing is taken in", "[storage][restore]") {
  writer_fixture store;
  auto id = store.next_id(), other = store.next_id();
  {
    auto writer = storage::record_writer::open(store.history.path());
    REQUIRE(writer);
    auto job = job_of_size(id, store.history.any_graph(), 100);
    job.push_back(record_of(id, core::job_moved{job_state::pending,
                                                job_state::paused,
                                                std::string(limits::batch_bytes_max, 'r'),
                                                {}}));
    CHECK(writer->add(job).code() == ec::too_large);
    CHECK_FALSE(*writer->has(id));
    REQUIRE(writer->add(job_of_size(other, store.history.any_graph(), 100)));
    REQUIRE(writer->flush());
    CHECK_FALSE(*writer->has(id));
    CHECK(*writer->has(other));
  }
  auto report = store.check();
  INFO(text_of(report));
  CHECK(report.clean());
}

TEST_CASE("the journal stays while a backup or a reader holds its pin", "[storage][restore]") {
  writer_fixture store;
  auto id = store.next_id();
  auto writer = storage::record_writer::open(store.history.path());
  REQUIRE(writer);
  REQUIRE(writer->add(job_of_size(id, store.history.any_graph(), 100)));
  auto before = journal_of(store.history.path());
  {
    auto directory = storage::data_dir::open(store.history.path(), storage::open_mode::read);
    auto pin = storage::data_pin::take(*directory);
    REQUIRE(pin);
    auto refused = writer->flush();
    REQUIRE(refused.code() == ec::already_open);
    CHECK(refused.error().detail.find(store.history.path().string()) != std::string::npos);
    CHECK(journal_of(store.history.path()) == before);
  }
  REQUIRE(writer->flush());
  CHECK(*writer->has(id));
  CHECK(journal_of(store.history.path()).empty());
}

TEST_CASE("where nothing is taken in the journal stays", "[storage][restore]") {
  writer_fixture store;
  auto before = journal_of(store.history.path());
  REQUIRE_FALSE(before.empty());
  auto writer = storage::record_writer::open(store.history.path());
  REQUIRE(writer);
  REQUIRE(writer->flush());
  CHECK(journal_of(store.history.path()) == before);
}
