#include "core/wire.hpp"
#include "tests/storage/store_history.hpp"

using namespace troupe;
using namespace troupe::test;
using storage::finding_kind;
using storage::table;
namespace keys = storage::keys;

namespace {

std::uint64_t any_seed() { return std::random_device{}(); }

result<storage::verify_report> check(const store_history& x, bool online = false) {
  storage::verify_options options;
  options.graphs = x.graphs();
  options.online = online;
  return storage::verify(x.path(), options);
}

/// A store at rest in which something is then changed by hand.
struct damaged_store {
  temporary_directory temporary;
  std::uint64_t seed = any_seed();
  store_history history{temporary.path / "data", seed};

  damaged_store() {
    history.run(400);
    history.apply_all();
  }

  /// Makes a change as no engine would, and checks.
  storage::verify_report after(const std::function<status(storage::table_writer&)>& change) {
    REQUIRE(storage::update(history.tables(), change).code() == ec::none);
    history.close();
    auto report = check(history);
    REQUIRE(report);
    return std::move(*report);
  }

  /// The first row of a table that fits.
  std::pair<core::bytes, core::bytes> row(
      table in, const std::function<bool(core::byte_view key)>& fits = [](auto) { return true; }) {
    auto reader = history.tables().read();
    REQUIRE(reader);
    auto cursor = (*reader)->cursor(in);
    for (auto there = cursor->seek({}); there && *there; there = cursor->next())
      if (fits(cursor->key()))
        return {{cursor->key().begin(), cursor->key().end()},
                {cursor->value().begin(), cursor->value().end()}};
    FAIL("there is no such row in " << to_string(in) << ", seed " << seed);
    return {};
  }
};

status erase(storage::table_writer& to, table from, const core::bytes& key) {
  auto gone = to.erase(from, key);
  return gone ? status{} : status{gone.error()};
}

bool is_family(core::byte_view key, char family) { return key[2] == family; }

} // namespace

TEST_CASE("nothing is found in a store that was never damaged", "[storage][verify]") {
  auto seed = any_seed();
  auto shards = GENERATE(std::uint16_t{1}, std::uint16_t{4});
  INFO("seed " << seed << ", " << shards << " shards");
  temporary_directory temporary;
  store_history history{temporary.path / "data", seed, shards};
  for (int round = 0; round < 3; ++round) {
    history.run(200);
    if (round < 2)
      history.apply_all(); // The last ones stay in the journal alone.
  }
  auto online = GENERATE(false, true);
  history.close();
  auto report = check(history, online);
  REQUIRE(report);
  INFO(text_of(*report));
  CHECK(report->clean());
  CHECK(report->skipped.empty());
  CHECK(report->tables.jobs > 20);
  CHECK(report->journal.compared > 0);
  CHECK(report->blobs.count > 3);
}

TEST_CASE("a store that was never applied is checked by its journal", "[storage][verify]") {
  auto seed = any_seed();
  INFO("seed " << seed);
  temporary_directory temporary;
  store_history history{temporary.path / "data", seed};
  history.run(100);
  history.close();
  auto report = check(history);
  REQUIRE(report);
  INFO(text_of(*report));
  CHECK(report->clean());
  CHECK(report->journal.records > 50);
}

TEST_CASE("damage of every shard is told, in their order, whichever is looked at first",
          "[storage][verify]") {
  auto seed = any_seed();
  INFO("seed " << seed);
  temporary_directory temporary;
  constexpr std::uint16_t shards = 12;
  store_history history{temporary.path / "data", seed, shards};
  history.run(600);
  history.apply_all();
  std::vector<core::shard_id> damaged;
  REQUIRE(storage::update(history.tables(),
                          [&](storage::table_writer& to) -> status {
                            for (std::uint16_t i = 0; i < shards; ++i) {
                              auto cursor = to.cursor(table::by_state);
                              auto prefix = keys::shard(core::shard_id{i});
                              auto there = cursor->seek(prefix);
                              if (!there || !*there || !keys::starts_with(cursor->key(), prefix))
                                continue;
                              core::bytes key{cursor->key().begin(), cursor->key().end()};
                              damaged.push_back(core::shard_id{i});
                              if (auto gone = erase(to, table::by_state, key); !gone)
                                return gone;
                            }
                            return {};
                          })
              .code()
          == ec::none);
  history.close();
  REQUIRE(damaged.size() > 1);
  auto report = check(history);
  REQUIRE(report);
  INFO(text_of(*report));
  CHECK(report->found.count() == damaged.size());
  std::vector<core::shard_id> found;
  for (auto& x : report->found.kept())
    found.push_back(core::shard_of(slot_of(x.job), shards));
  CHECK(found == damaged);
}

TEST_CASE("a journal that ends before what the snapshot has seen is found", "[storage][verify]") {
  auto online = GENERATE(false, true);
  damaged_store store;
  INFO("seed " << store.seed);
  store.history.close();
  for (auto& name : store.history.newer_segments())
    std::filesystem::remove(name);
  auto report = check(store.history, online);
  REQUIRE(report);
  INFO(text_of(*report));
  CHECK(has(*report, finding_kind::journal_damaged));
}

TEST_CASE("a missing or wrong entry of every index is found", "[storage][verify]") {
  auto in = GENERATE(table::by_state, table::by_queue, table::by_label, table::by_end);
  damaged_store store;
  INFO("seed " << store.seed << ", " << to_string(in));
  auto [key, value] = store.row(in);

  SECTION("missing") {
    auto report = store.after([&, k = key](auto& to) { return erase(to, in, k); });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::index_missing));
    CHECK(report.found.count() == 1);
    CHECK(report.found.kept()[0].job == keys::id_in(key));
  }
  SECTION("of a job that is not there") {
    auto wrong = key;
    wrong.back() ^= 1;
    auto report = store.after([&, v = value](auto& to) { return to.put(in, wrong, v); });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::index_extra));
    CHECK(report.found.count() == 1);
  }
  SECTION("of another property") {
    auto wrong = key;
    wrong[6] ^= 1; // Within the state, the queue, the label, the namespace.
    auto report = store.after([&, v = value](auto& to) { return to.put(in, wrong, v); });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::index_extra));
    CHECK(report.found.count() == 1);
  }
}

TEST_CASE("a wrong count is found", "[storage][verify]") {
  auto in = GENERATE(table::totals, table::graphs);
  damaged_store store;
  INFO("seed " << store.seed << ", " << to_string(in));
  auto [key, value] = store.row(in);
  auto wrong = value;
  wrong[in == table::totals ? 7 : 15] += 1; // One job more.

  SECTION("changed") {
    auto report = store.after([&, k = key](auto& to) { return to.put(in, k, wrong); });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::count_wrong));
    CHECK(report.found.count() == 1);
  }
  SECTION("gone") {
    auto report = store.after([&, k = key](auto& to) { return erase(to, in, k); });
    INFO(text_of(report));
    CHECK(report.found.count() == 1);
  }
}

TEST_CASE("what is wrong with a job's row or records is found", "[storage][verify]") {
  damaged_store store;
  INFO("seed " << store.seed);
  auto [key, value] = store.row(table::done);
  auto id = keys::id_in(key);
  auto shard = core::shard_of(slot_of(id), store.history.shards());

  SECTION("another time of its end") {
    auto row = *storage::decode_job_row(id, value);
    row.ended += core::duration{1};
    auto report = store.after(
        [&, k = key](auto& to) { return to.put(table::done, k, storage::encode(row)); });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::row_differs));
  }
  SECTION("a row that cannot be read") {
    auto report = store.after([&, k = key](auto& to) {
      return to.put(table::done, k, core::bytes{1, 2, 3});
    });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::row_damaged));
  }
  SECTION("a row that is not there") {
    auto report = store.after([&, k = key](auto& to) { return erase(to, table::done, k); });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::records_ownerless));
    CHECK(has(report, finding_kind::index_extra));
  }
  SECTION("a row in the wrong table") {
    auto report = store.after([&, k = key, v = value](auto& to) {
      auto gone = erase(to, table::done, k);
      return gone ? to.put(table::live, k, v) : gone;
    });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::row_misplaced));
  }
  SECTION("a row in the wrong shard") {
    auto wrong = keys::job(shard_id(1 - core::index_of(shard)), id);
    auto report = store.after([&, v = value](auto& to) { return to.put(table::done, wrong, v); });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::row_misplaced));
  }
  SECTION("records that are gone") {
    auto report =
        store.after([&](auto& to) { return erase(to, table::chunks, keys::chunk(shard, id, 0)); });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::records_missing));
  }
  SECTION("records with a wrong checksum") {
    auto [at, records] = store.row(table::chunks);
    auto report = store.after([&, k = at, v = records](auto& to) {
      auto wrong = v;
      wrong.back() ^= 1;
      return to.put(table::chunks, k, wrong);
    });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::records_damaged));
  }
  SECTION("records of another job") {
    auto [at, records] = store.row(table::chunks, [&](core::byte_view k) {
      job_id owner;
      core::reader{k.subspan(2)}(owner);
      return owner != id && k[1] == core::index_of(shard);
    });
    auto report = store.after(
        [&, v = records](auto& to) { return to.put(table::chunks, keys::chunk(shard, id, 0), v); });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::records_damaged));
  }
  SECTION("a record that does not fit the job") {
    core::bytes records;
    auto reader = store.history.tables().read();
    auto row = *storage::decode_job_row(id, value);
    REQUIRE(storage::snapshot_read{**reader, shard}.records(id, 0, [&](core::byte_view r) {
      records.insert(records.end(), r.begin(), r.end());
      return true;
    }));
    reader->reset();
    core::record late{
        {}, shard, id, row.ended, core::job_moved{job_state::running, job_state::paused, "", {}}};
    auto before = records.size();
    core::encode(late, records);
    auto after = row;
    storage::fold(after, late, records.size() - before);
    auto report = store.after([&, k = key](auto& to) {
      auto put = to.put(table::chunks, keys::chunk(shard, id, 0), records);
      return put ? to.put(table::done, k, storage::encode(after)) : put;
    });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::records_misfit));
  }
}

TEST_CASE("keys of requests that do not fit their jobs are found", "[storage][verify]") {
  damaged_store store;
  INFO("seed " << store.seed);
  auto family = GENERATE('k', 'x');
  auto [key, value] =
      store.row(table::idempotency, [&](core::byte_view k) { return is_family(k, family); });

  SECTION("gone") {
    auto report = store.after([&, k = key](auto& to) { return erase(to, table::idempotency, k); });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::request_wrong));
  }
  SECTION("another one beside it") {
    auto wrong = key;
    wrong.push_back('!');
    auto report =
        store.after([&, v = value](auto& to) { return to.put(table::idempotency, wrong, v); });
    INFO(text_of(report));
    CHECK(has(report, finding_kind::request_wrong));
  }
}

TEST_CASE("a row of the embedder that the journal knows otherwise is found", "[storage][verify]") {
  damaged_store store;
  INFO("seed " << store.seed);
  auto [key, value] = store.row(table::rows);
  auto report =
      store.after([&, k = key](auto& to) { return to.put(table::rows, k, core::bytes{120}); });
  INFO(text_of(report));
  CHECK(has(report, finding_kind::journal_differs));
}

TEST_CASE("messages between shards that are out of order are found", "[storage][verify]") {
  damaged_store store;
  INFO("seed " << store.seed);
  auto report = store.after([&](auto& to) {
    return to.put(table::links, keys::outbox(shard_id{0}, shard_id{1}, 3), core::bytes{1, 2, 3});
  });
  INFO(text_of(report));
  CHECK(has(report, finding_kind::link_wrong));
}

TEST_CASE("blobs that are gone or damaged are found", "[storage][verify]") {
  damaged_store store;
  INFO("seed " << store.seed);
  auto [key, value] = store.row(table::graphs);
  graph_id graph;
  core::reader{core::byte_view{key}.subspan(6)}(graph);
  auto reader = store.history.tables().read();
  std::optional<storage::sha256_digest> blob;
  REQUIRE(storage::each_named_blob(store.history.tables(), store.history.shards(),
                                   [&](auto, auto& name) -> status {
                                     if (!store.history.is_graph(name))
                                       blob = name;
                                     return {};
                                   }));
  reader->reset();
  store.history.close();
  storage::blob_files files{storage::system_files(), store.history.path() / "blobs"};
  auto is_graph = GENERATE(false, true);
  auto path = files.path_of({}, is_graph ? graph.sha256 : blob.value());

  SECTION("gone") {
    std::filesystem::remove(path);
    auto report = check(store.history);
    REQUIRE(report);
    INFO(text_of(*report));
    CHECK(has(*report, is_graph ? finding_kind::graph_missing : finding_kind::blob_missing));
  }
  SECTION("flipped") {
    auto content = *storage::read_file(storage::system_files(), path);
    content->back() ^= 1;
    REQUIRE(storage::replace_file(storage::system_files(), path, path.string() + ".tmp", *content));
    auto report = check(store.history);
    REQUIRE(report);
    INFO(text_of(*report));
    CHECK(has(*report, finding_kind::blob_damaged));
  }
}

TEST_CASE("a check without --online is refused beside an owner", "[storage][verify]") {
  temporary_directory temporary;
  store_history history{temporary.path / "data", 1};
  auto report = check(history);
  CHECK(report.code() == ec::already_open);
}

TEST_CASE("no flipped byte and no cut file goes unnoticed that a reader could meet",
          "[storage][verify]") {
  namespace fs = std::filesystem;
  temporary_directory temporary;
  auto seed = any_seed();
  INFO("seed " << seed);
  store_history history{temporary.path / "data", seed};
  history.run(200);
  history.apply_all();
  history.run(50);
  history.close();
  auto right = content_of(history.path());
  std::vector<fs::path> all;
  for (auto& x : fs::recursive_directory_iterator{history.path()})
    if (x.is_regular_file() && x.file_size() > 0 && x.path().filename() != "lock.mdb"
        && x.path().filename() != "LOCK" && x.path().filename() != "PIN")
      all.push_back(x.path());
  std::ranges::sort(all);
  std::mt19937_64 random{seed};
  int found = 0;
  for (int round = 0; round < 60; ++round) {
    auto& path = all[random() % all.size()];
    auto before = *storage::read_file(storage::system_files(), path);
    auto after = *before;
    auto at = random() % after.size();
    auto cut = round % 6 == 0;
    cut ? after.resize(at) : void(after[at] ^= static_cast<std::uint8_t>(1u << random() % 8));
    INFO(path << (cut ? ", cut at " : ", flipped at ") << at);
    auto passing = path.string() + ".tmp";
    REQUIRE(storage::replace_file(storage::system_files(), path, passing, after));
    auto report = check(history);
    auto noticed = !report || !report->clean();
    found += noticed;
    if (!noticed) // It was where nothing is kept: free pages, prepared segments.
      CHECK(content_of(history.path()) == right);
    REQUIRE(storage::replace_file(storage::system_files(), path, passing, *before));
  }
  CHECK(found > 5);
  auto whole = check(history);
  REQUIRE(whole);
  CHECK(whole->clean());
}
