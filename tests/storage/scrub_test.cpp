#include "storage/scrub.hpp"

#include "core/wire.hpp"
#include "storage/table_row.hpp"
#include "tests/storage/store_history.hpp"

using namespace troupe;
using namespace troupe::test;
using storage::finding_kind;
using storage::table;

namespace {

/// A store that is open, and a scrubber beside.
struct scrubbed_store {
  temporary_directory temporary;
  std::uint64_t seed = std::random_device{}();
  store_history history{temporary.path / "data", seed};
  std::vector<storage::finding> told;

  scrubbed_store() {
    history.run(300);
    history.apply_all();
  }

  storage::scrub_parts parts() {
    storage::scrub_parts x;
    x.tables = {std::shared_ptr<void>{}, &history.tables()};
    x.files = &storage::system_files();
    x.blobs = history.path() / "blobs";
    x.shards = history.shards();
    x.graphs = history.graphs();
    x.report = [this](const storage::finding& found) { told.push_back(found); };
    return x;
  }

  /// One pass over everything, in small steps.
  storage::scrub_state pass() {
    storage::scrubber scrub{parts()};
    for (int steps = 0; steps < 100'000; ++steps) {
      auto more = scrub.step(2000);
      if (more && !*more)
        return scrub.state();
    }
    FAIL("the pass does not end");
    return {};
  }
};

} // namespace

TEST_CASE("a pass sees every job once and finds nothing in a sound store", "[storage][scrub]") {
  scrubbed_store store;
  INFO("seed " << store.seed);
  auto seen = store.pass();
  auto reader = store.history.tables().read();
  REQUIRE(reader);
  CHECK(seen.jobs == (*reader)->totals(table::live).rows + (*reader)->totals(table::done).rows);
  CHECK(seen.findings == 0);
  CHECK(seen.passes == 1);
  CHECK(store.told.empty());
}

TEST_CASE("a pass goes past damaged rows and records, and tells each", "[storage][scrub]") {
  scrubbed_store store;
  INFO("seed " << store.seed);
  auto in = GENERATE(table::done, table::live, table::chunks, table::graphs);
  std::vector<core::bytes> kept;
  {
    auto reader = store.history.tables().read();
    REQUIRE(reader);
    auto cursor = (*reader)->cursor(in);
    for (auto there = cursor->seek({}); there && *there; there = cursor->next())
      storage::seal(kept.emplace_back(), storage::number_of(in), cursor->key(), cursor->value());
  }
  REQUIRE(kept.size() >= 2);
  for (auto x : {&kept.front(), &kept.back()}) // What lies behind the first is looked at, too.
    damage(store.history.path(), *x);
  auto seen = store.pass();
  std::string all;
  for (auto& x : store.told)
    all += x.where + ": " + x.what + "\n";
  INFO(to_string(in) << "\n" << all);
  CHECK(seen.passes == 1);
  CHECK(seen.findings == 2);
  REQUIRE(store.told.size() == 2);
  for (auto& x : store.told) {
    INFO(x.where << ": " << x.what);
    CHECK(x.kind == finding_kind::row_damaged);
    CHECK(x.what.find(std::string{"wrong checksum at table "} + to_string(in)) != x.what.npos);
    CHECK((x.job == job_id{}) == (in == table::graphs));
  }
}

TEST_CASE("a pass tells of a missing entry of an index, and of a damaged blob",
          "[storage][scrub]") {
  scrubbed_store store;
  INFO("seed " << store.seed);
  SECTION("a missing entry of an index") {
    REQUIRE(storage::update(store.history.tables(), [](auto& to) -> status {
      auto cursor = to.cursor(table::by_queue);
      REQUIRE(*cursor->seek({}));
      core::bytes key{cursor->key().begin(), cursor->key().end()};
      return to.erase(table::by_queue, key) ? status{} : status{ec::io_failed};
    }));
    store.pass();
    REQUIRE(store.told.size() == 1);
    CHECK(store.told[0].kind == finding_kind::index_missing);
  }
  SECTION("a value that is no longer what it was") {
    std::filesystem::path path;
    storage::blob_files files{storage::system_files(), store.history.path() / "blobs"};
    REQUIRE(storage::each_named_blob(store.history.tables(), store.history.shards(),
                                     [&](auto ns, auto& name) -> status {
                                       if (!store.history.is_graph(name))
                                         path = files.path_of(ns, name);
                                       return {};
                                     }));
    auto content = *storage::read_file(storage::system_files(), path);
    content->front() ^= 1;
    REQUIRE(storage::replace_file(storage::system_files(), path, path.string() + ".tmp", *content));
    store.pass();
    REQUIRE_FALSE(store.told.empty());
    CHECK(store.told[0].kind == finding_kind::blob_damaged);
  }
}
