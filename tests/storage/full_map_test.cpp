#include "storage/snapshot_writer.hpp"
#include "tests/storage/tables_fixture.hpp"
#include "tests/support/eventually.hpp"

#include <mutex>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;
using tests::eventually;

namespace {

constexpr shard_id shard{0};

/// A shard whose durable jobs go into a snapshot that has to grow soon.
struct growing_store : lmdb_fixture {
  std::shared_ptr<storage::journal> journal;
  std::shared_ptr<storage::table_store> tables;
  std::shared_ptr<storage::lag_gauge> lag = std::make_shared<storage::lag_gauge>();
  std::shared_ptr<storage::view> view;
  std::unique_ptr<storage::snapshot_writer> writer;
  storage::opened at;
  std::vector<job_id> jobs;
  std::atomic<bool> told = false;

  growing_store() {
    storage::lmdb_options options;
    options.map_bytes = 1 << 20;
    options.resize_wait = 50ms;
    REQUIRE(open(options));
    tables = {std::shared_ptr<void>{}, store.get()};
    auto opened = storage::open_file_journal(*directory);
    REQUIRE(opened);
    journal = std::move(*opened);
    at = *journal->open(shard);
    view = std::make_shared<storage::view>(shard, tables, storage::shard_meta{}, lag);
    storage::snapshot_parts parts;
    parts.tables = tables;
    parts.journal = journal;
    parts.views = {view};
    parts.lag = lag;
    parts.pace.window_bytes = 1;
    parts.report = [this](const error& why) { told = told || why.code == ec::overloaded; };
    writer = std::make_unique<storage::snapshot_writer>(std::move(parts));
    writer->start();
  }
  ~growing_store() { writer->stop(); }

  /// Makes a job durable.
  void add_job() {
    auto n = jobs.size() + 1;
    jobs.push_back({n << 16 | 0x7000, 1ull << 63 | n << 40});
    core::job_added added;
    added.queue = "q";
    added.input = core::payload{value{std::string(50'000, 'x')}};
    batch next{shard, at.epoch, ++at.head, core::shard_time{1h}, {}};
    core::encode({{}, shard, jobs.back(), next.time, added}, next.records);
    REQUIRE(append(*journal, next).get());
    view->add(std::move(next));
  }

  std::size_t jobs_in_tables() {
    auto reader = store->read();
    REQUIRE(reader);
    storage::snapshot_read from{**reader, shard};
    return static_cast<std::size_t>(std::ranges::count_if(jobs, [&](auto id) {
      auto row = from.row(id);
      return row && *row;
    }));
  }
};

} // namespace

TEST_CASE("jobs become durable while a reader keeps a full snapshot from growing, and none is lost",
          "[storage][snapshot]") {
  growing_store x;
  auto held = x.store->read();
  REQUIRE(held);
  CHECK(eventually([&] {
    x.add_job();
    return x.told.load();
  }));
  for (int i = 0; i < 10; ++i)
    x.add_job();
  CHECK(x.lag->bytes() > 10 * 50'000);
  CHECK(x.writer->state());
  for (auto id : x.jobs)
    CHECK(x.view->find(id));
  held->reset();
  CHECK(eventually([&] { return x.lag->bytes() == 0; }));
  CHECK(x.jobs_in_tables() == x.jobs.size());
  CHECK(x.writer->state());
}
