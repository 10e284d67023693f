#include "actors/salvage_store.hpp"
#include "actors/store_scrub.hpp"
#include "storage/backup.hpp"
#include "storage/compact.hpp"
#include "storage/restore.hpp"
#include "storage/verify.hpp"
#include "tests/support/gathered_reports.hpp"
#include "tests/support/must.hpp"
#include "tests/support/temp_dir.hpp"
#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

using namespace troupe;
using tests::must;

namespace {

constexpr auto patience = std::chrono::seconds{60};

struct fixture {
  tests::temp_dir directory;
  std::filesystem::path data = directory.path() / "data";
  tests::gathered_reports reports;

  runtime open() { return must(try_open()); }
  result<runtime> try_open() {
    runtime_config config;
    config.data_dir = data;
    reports.gather_from(config);
    return runtime::open(config);
  }
  job_id run_one() {
    auto node = open();
    job_spec spec;
    spec.graph = must(node.add_graph(graph_builder{"g"}.add("a", "noop").build()));
    auto id = must(node.submit(spec));
    must(node.wait(id, patience));
    return id;
  }
  void lose_snapshot() { REQUIRE(std::filesystem::remove_all(data / "snapshot") > 0); }
  /// As a loss of power leaves a file that was being made.
  void cut_snapshot(std::size_t left) {
    std::filesystem::resize_file(data / "snapshot" / "data.mdb", left);
    std::filesystem::remove(data / "snapshot" / "lock.mdb");
  }

  storage::verify_report verify() const {
    storage::verify_options options;
    options.graphs = actors::stored_graphs();
    return must(storage::verify(data, options));
  }
  bool finds(storage::finding_kind kind) const {
    auto report = verify();
    return std::ranges::any_of(report.found.kept(), [&](auto& x) { return x.kind == kind; });
  }
};

} // namespace

TEST_CASE_METHOD(fixture, "a lost snapshot is made anew from a journal that holds all",
                 "[actors][runtime][snapshot]") {
  auto id = run_one();
  SECTION("gone") { lose_snapshot(); }
  SECTION("empty") { cut_snapshot(0); }
  SECTION("half made") { cut_snapshot(4096); }
  CHECK(finds(storage::finding_kind::snapshot_absent));
  CHECK(must(actors::read_store(data)).shards.size() == 4); // Readers see what the journal tells.
  {
    auto node = open();
    CHECK(must(node.get(id)).state == job_state::completed);
  }
  CHECK(reports.text().find("made anew") != std::string::npos);
  CHECK(verify().clean());
}

TEST_CASE_METHOD(fixture, "a lost snapshot that the journal cannot replace is told everywhere",
                 "[actors][runtime][snapshot]") {
  run_one();
  auto backup = directory.path() / "backup", restored = directory.path() / "restored";
  must(storage::back_up(data, backup));
  must(storage::restore(backup, restored));
  data = restored;
  auto use_first = GENERATE(false, true); // Else its journal is empty.
  if (use_first)
    run_one();
  auto is_empty = GENERATE(false, true);
  if (is_empty)
    cut_snapshot(0);
  else
    lose_snapshot();
  CHECK(finds(storage::finding_kind::file_damaged));
  CHECK(try_open().code() == ec::journal_corrupt);
  CHECK(actors::read_store(data).code() == ec::journal_corrupt);
  CHECK(storage::back_up(data, directory.path() / "second").code() == ec::journal_corrupt);
  CHECK(storage::compact(data).code() == ec::journal_corrupt);
  std::error_code none;
  CHECK(std::filesystem::exists(data / "snapshot" / "data.mdb", none) == is_empty);
}

TEST_CASE_METHOD(fixture, "readers tell that the journal lacks what the snapshot has seen",
                 "[actors][runtime][snapshot]") {
  run_one();
  {
    runtime_config config;
    config.data_dir = data;
    auto store = must(actors::open_store(config));
    CHECK(must(store.writer->step()));
    store.close();
  }
  for (auto& entry : std::filesystem::directory_iterator{data / "journal"})
    std::filesystem::remove(entry.path());
  CHECK(try_open().code() == ec::journal_corrupt);
  CHECK(actors::read_store(data).code() == ec::journal_corrupt);
  CHECK(finds(storage::finding_kind::journal_damaged));
  // What is left can be had by who asks for what is whole.
  std::vector<storage::lmdb_problem> lost;
  CHECK(must(actors::salvage_store(data, lost)).shards.size() == 4);
  REQUIRE(lost.size() == 1);
  CHECK(to_string(lost[0]).find("acknowledged data is missing") != std::string::npos);
}
