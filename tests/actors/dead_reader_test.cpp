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

void run_one(engine_client& node) {
  job_spec spec;
  spec.graph = node.add(graph_builder{"g"}.add("a", "noop").build());
  must(node.wait(must(node.submit(spec))));
}

} // namespace

TEST_CASE("a runtime lets go of what a killed process was reading", "[actors][snapshot]") {
  tests::temp_dir directory;
  runtime_config config;
  config.data_dir = directory.path() / "data";
  {
    engine_client node{config};
    run_one(node);
  }
  tests::killed_reader reader{config.data_dir};
  actors::engine_pace pace;
  pace.snapshot.maintain_interval = 0ms; // Each time that it is written.
  engine_client node{config, {}, pace};
  reader.begin(); // Opening looks for dead readers, too.
  auto now = [&] { return node.engine().stats(); };
  CHECK(now().snapshot_readers >= 1);
  CHECK(eventually([&] { return now().snapshot_oldest_read >= 1ms; }));
  reader.kill();
  CHECK(eventually([&] {
    run_one(node);
    return now().snapshot_readers == 0;
  }));
}
