#include "storage/view.hpp"
#include "tests/storage/store_history.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

namespace fs = std::filesystem;

/// All jobs of all shards, and those of which the list was told that they are damaged.
struct listed {
  std::set<job_id> jobs, damaged;
  status outcome;
};

listed list_all(const fs::path& data, bool past_damage) {
  auto directory = storage::data_dir::open(data, storage::open_mode::read);
  REQUIRE(directory);
  auto opened = storage::open_lmdb_tables(*directory);
  REQUIRE(opened);
  std::shared_ptr<storage::lmdb_tables> tables = std::move(*opened);
  listed all;
  for (std::uint16_t i = 0; i < directory->about().shards; ++i) {
    auto reader = tables->read();
    auto meta = storage::snapshot_read{**reader, shard_id{i}}.meta();
    REQUIRE(meta);
    reader->reset();
    storage::view view{shard_id{i}, tables, *meta};
    storage::job_query query;
    query.limit = 7;
    query.scan_max = 3; // Pages end at damaged rows, too.
    if (past_damage)
      query.damaged = [&](job_id id, const error& why) {
        CHECK(why.code == ec::journal_corrupt);
        CHECK(all.damaged.insert(id).second);
      };
    do {
      auto page = view.list(query);
      if (!page) {
        all.outcome = page.error();
        return all;
      }
      for (auto& row : page->rows)
        CHECK(all.jobs.insert(row.id).second);
      query.before = page->next;
    } while (query.before);
  }
  return all;
}

} // namespace

TEST_CASE("a list goes past damaged rows if it may, and names their jobs", "[storage][view]") {
  temporary_directory temporary;
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  store_history history{temporary.path / "data", seed};
  history.run(400);
  history.apply_all();
  std::map<job_id, core::bytes> rows;
  {
    auto reader = history.tables().read();
    REQUIRE(reader);
    for (auto in : {storage::table::live, storage::table::done}) {
      auto cursor = (*reader)->cursor(in);
      for (auto there = cursor->seek({}); there && *there; there = cursor->next())
        rows[storage::keys::id_in(cursor->key())] = {cursor->value().begin(),
                                                     cursor->value().end()};
    }
  }
  history.close();
  auto before = list_all(history.path(), true);
  REQUIRE(before.outcome);
  CHECK(before.damaged.empty());
  REQUIRE(before.jobs.size() == rows.size());

  std::set<job_id> hit;
  auto middle = std::next(rows.begin(), static_cast<int>(rows.size()) / 2);
  for (int i = 0; i < 6; ++i) // Some next to each other, the oldest and the newest.
    hit.insert((middle++)->first);
  hit.insert(rows.begin()->first);
  hit.insert(rows.rbegin()->first);
  for (auto& id : hit)
    damage(history.path(), rows.at(id));
  CHECK(list_all(history.path(), false).outcome.code() == ec::journal_corrupt);
  auto after = list_all(history.path(), true);
  CHECK(after.outcome.code() == ec::none);
  CHECK(after.damaged == hit);
  CHECK(after.jobs.size() == before.jobs.size() - hit.size());
}

TEST_CASE("the records of all other jobs are read beside a damaged row", "[storage][view]") {
  temporary_directory temporary;
  auto seed = std::random_device{}();
  INFO("seed " << seed);
  store_history history{temporary.path / "data", seed};
  history.run(200);
  history.apply_all();
  std::map<std::pair<shard_id, job_id>, core::bytes> chunks; // One of each job.
  {
    auto reader = history.tables().read();
    REQUIRE(reader);
    auto cursor = (*reader)->cursor(storage::table::chunks);
    for (auto there = cursor->seek({}); there && *there; there = cursor->next()) {
      shard_id shard{};
      job_id id;
      core::reader{cursor->key()}(shard, id);
      chunks[{shard, id}] = {cursor->value().begin(), cursor->value().end()};
    }
  }
  history.close();
  REQUIRE(chunks.size() > 10);
  auto hit = std::next(chunks.begin(), static_cast<int>(chunks.size()) / 2);
  damage(history.path(), hit->second);
  auto directory = storage::data_dir::open(history.path(), storage::open_mode::read);
  auto tables = storage::open_lmdb_tables(*directory);
  REQUIRE(tables);
  auto reader = (*tables)->read();
  REQUIRE(reader);
  for (auto& [job, value] : chunks) {
    std::size_t count = 0;
    auto read = storage::snapshot_read{**reader, job.first}.records(
        job.second, 0, [&](core::byte_view) { return ++count > 0; });
    CHECK(bool(read) == (job != hit->first));
    CHECK((count > 0 || job == hit->first));
  }
}
