#include "actors/store.hpp"
#include "actors/store_scrub.hpp"
#include "storage/snapshot_read.hpp"
#include "storage/table_row.hpp"
#include "storage/verify.hpp"
#include "tests/support/engine_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/gathered_reports.hpp"
#include "tests/support/temp_dir.hpp"
#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

#include <algorithm>
#include <fcntl.h>

using namespace troupe;
using namespace std::chrono_literals;
using storage::table;
using tests::eventually;
using tests::must;
using tests::patience;

namespace {

/// A data directory with jobs that have ended; rows of it are then damaged.
struct fixture {
  tests::temp_dir directory;
  runtime_config config;
  std::vector<job_id> jobs;
  tests::gathered_reports reports;

  fixture() {
    config.data_dir = directory.path() / "data";
    config.shards = 1;
    reports.gather_from(config);
    run(3);
    auto store = must(actors::open_store(config));
    while (must(store.writer->step())) {
    }
    store.close();
  }

  void run(int count) {
    auto node = must(runtime::open(config));
    job_spec spec;
    spec.graph = must(node.add_graph(graph_builder{"g"}.add("a", "noop").build()));
    for (; count > 0; --count) {
      jobs.push_back(must(node.submit(spec)));
      must(node.wait(jobs.back(), patience));
    }
  }

  /// What the snapshot's file keeps of a job in a table: the value with its checksum.
  core::bytes kept(table in, job_id id) const {
    auto from = must(storage::data_dir::open(config.data_dir, storage::open_mode::read));
    auto tables = must(storage::open_lmdb_tables(from));
    auto reader = must(tables->read());
    auto prefix = storage::keys::job(core::shard_id{}, id);
    core::bytes found;
    auto take = [&](core::byte_view key, core::byte_view value) -> result<bool> {
      storage::seal(found, storage::number_of(in), key, value);
      return false;
    };
    REQUIRE(storage::each_row(*reader, in, prefix, prefix, take));
    return found;
  }

  /// Changes a bit in the middle of it.
  void damage(table in, job_id id) const {
    auto wanted = kept(in, id);
    auto name = config.data_dir / "snapshot" / "data.mdb";
    auto content = *must(storage::read_file(storage::system_files(), name));
    auto at = std::search(content.begin(), content.end(), wanted.begin(), wanted.end());
    REQUIRE(at != content.end());
    auto place = at + static_cast<std::ptrdiff_t>(wanted.size() / 2);
    core::bytes changed(1, static_cast<std::uint8_t>(*place ^ 1));
    auto file = must(storage::file::open(storage::system_files(), name, O_WRONLY));
    REQUIRE(file.write(changed, static_cast<std::uint64_t>(place - content.begin())));
  }

  std::size_t times_told(const std::string& text) {
    auto reported = reports.text();
    std::size_t count = 0;
    for (auto at = reported.find(text); at != reported.npos; at = reported.find(text, at + 1))
      ++count;
    return count;
  }

  storage::verify_report verify() const {
    storage::verify_options options;
    options.graphs = actors::stored_graphs();
    return must(storage::verify(config.data_dir, options));
  }
};

bool is_gone(runtime& node, job_id id) { return node.get(id).code() == ec::no_such_job; }

/// Whether the snapshot has taken in all that is durable.
bool is_applied(runtime& node) { return must(node.stats()).lag_records == 0; }

} // namespace

TEST_CASE_METHOD(fixture, "a deleted job takes its damaged records along, and the snapshot goes on",
                 "[actors][retention][damage]") {
  damage(table::chunks, jobs[1]);
  CHECK_FALSE(verify().clean());
  {
    auto node = must(runtime::open(config));
    CHECK(must(node.purge({})) == 3);
    CHECK(eventually([&] { return is_applied(node); }));
    CHECK(must(node.stats()).snapshot_is_written);
    CHECK(times_told("a row of a deleted job was removed") == 1);
  }
  run(2);
  auto report = verify();
  CHECK(report.clean());
  CHECK(report.skipped.empty());
}

TEST_CASE_METHOD(fixture, "a purge leaves damaged jobs out, and tells them",
                 "[actors][retention][damage]") {
  damage(table::done, jobs[1]);
  auto node = must(runtime::open(config));
  CHECK(must(node.purge({}, true)) == 2);
  CHECK(must(node.purge({})) == 2);
  CHECK(is_gone(node, jobs[0]));
  CHECK(is_gone(node, jobs[2]));
  CHECK(node.get(jobs[1]).code() == ec::journal_corrupt);
  CHECK(times_told("job " + to_string(jobs[1]) + " is left out") == 2); // The dry run, too.
}

TEST_CASE_METHOD(fixture, "retention goes past damaged jobs, and tells each once",
                 "[actors][retention][damage]") {
  damage(table::done, jobs[0]);
  config.retention.completed = {1ms, 0};
  actors::engine_pace pace;
  pace.retention = 10ms;
  tests::engine_client node{config, {}, pace};
  auto& shard = node.engine().shard(jobs[0]);
  auto goes = [&](job_id id) {
    return eventually([&] { return shard.view->find(id).code() == ec::no_such_job; });
  };
  CHECK(goes(jobs[1]));
  CHECK(goes(jobs[2]));
  CHECK(eventually([&] { return times_told(to_string(jobs[0]) + " is left out") == 1; }));
  job_spec later;
  later.graph = node.add(graph_builder{"g"}.add("a", "noop").build());
  for (int i = 0; i < 3; ++i) // Each goes in a search of its own, which meets the damage again.
    CHECK(goes(must(node.wait(must(node.submit(later)))).id));
  CHECK(times_told(to_string(jobs[0]) + " is left out") == 1);
  CHECK(eventually([&] { return node.engine().stats().lag_records == 0; }));
  CHECK(node.engine().stats().snapshot_is_written);
}
