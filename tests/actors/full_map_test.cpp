#include "tests/support/engine_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/killed_reader.hpp"
#include "tests/support/temp_dir.hpp"

using namespace troupe;
using namespace std::chrono_literals;
using tests::engine_client;
using tests::eventually;
using tests::must;

namespace {

constexpr std::size_t output_bytes = 50'000;

job_id run_large(engine_client& node, int n) {
  auto output = std::to_string(n) + std::string(output_bytes, 'x');
  job_spec spec;
  spec.graph = node.add(graph_builder{"large"}.add("a", "noop", {{{"output", output}}}).build());
  auto id = must(node.submit(spec));
  CHECK(must(node.wait(id)).state == job_state::completed);
  return id;
}

} // namespace

TEST_CASE("a map that is full grows under load while another process reads, and nothing is lost",
          "[actors][snapshot]") {
  tests::temp_dir directory;
  runtime_config config;
  config.data_dir = directory.path() / "data";
  config.shards = 2;
  std::vector<job_id> jobs;
  {
    engine_client node{config};
    jobs.push_back(run_large(node, 0));
  }
  tests::killed_reader reader{config.data_dir};
  actors::engine_pace pace;
  pace.map_bytes = 1 << 20;
  pace.snapshot.window_bytes = 1; // Each batch is a transaction of its own.
  {
    engine_client node{config, {}, pace};
    reader.begin();
    for (int n = 1; n < 60; ++n)
      jobs.push_back(run_large(node, n));
    auto now = [&] { return node.engine().stats(); };
    CHECK(eventually([&] { return now().lag_records == 0; }));
    CHECK(now().snapshot_is_written);
    CHECK(now().snapshot_bytes > 2 * pace.map_bytes);
    CHECK(now().snapshot_readers >= 1); // It still reads what was there before.
    reader.kill();
    jobs.push_back(run_large(node, 60));
  }
  auto node = must(runtime::open(config));
  for (std::size_t n = 0; n < jobs.size(); ++n)
    CHECK(must(node.get(jobs[n])).state == job_state::completed);
}
