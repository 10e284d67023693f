#include "storage/lmdb_tables.hpp"
#include "tests/storage/child_process.hpp"
#include "tests/support/must.hpp"
#include "tests/support/temp_dir.hpp"
#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

#include <thread>

using namespace troupe;
using namespace std::chrono_literals;
using tests::must;

namespace {

bool eventually(const std::function<bool()>& holds) {
  for (auto until = std::chrono::steady_clock::now() + 90s; !holds();) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

job_id run_one(runtime& node) {
  job_spec spec;
  spec.graph = must(node.add_graph(graph_builder{"g"}.add("a", "noop").build()));
  auto id = must(node.submit(spec));
  must(node.wait(id, 60s));
  return id;
}

} // namespace

TEST_CASE("a runtime lets go of what a killed process was reading", "[actors][snapshot]") {
  tests::temp_dir directory;
  runtime_config config;
  config.data_dir = directory.path() / "data";
  {
    auto node = must(runtime::open(config));
    run_one(node);
  }
  int go[2];
  REQUIRE(::pipe(go) == 0);
  test::child_process reader{[&](int said) {
    char c = 0;
    if (::read(go[0], &c, 1) != 1)
      return 1;
    auto opened = storage::data_dir::open(config.data_dir, storage::open_mode::read);
    auto tables = storage::open_lmdb_tables(*opened);
    auto held = (*tables)->read();
    if (!held || ::write(said, "x", 1) != 1)
      return 1;
    ::pause();
    return 0;
  }};
  auto node = must(runtime::open(config));
  REQUIRE(::write(go[1], "x", 1) == 1); // Opening looks for dead readers, too.
  REQUIRE(reader.read(1) == "x");
  CHECK(must(node.stats()).snapshot_readers >= 1);
  CHECK(eventually([&] { return must(node.stats()).snapshot_oldest_read >= 1ms; }));
  reader.kill();
  reader.wait();
  CHECK(eventually([&] {
    run_one(node); // It looks for them as it writes the snapshot.
    return must(node.stats()).snapshot_readers == 0;
  }));
  ::close(go[0]);
  ::close(go[1]);
}
