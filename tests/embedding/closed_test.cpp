#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

#include <future>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s; // For what must happen; a test that waits that long has failed.

graph_spec long_wait() {
  return graph_builder{"wait"}.add("wait", "delay", {{"for", "1h"}}).build();
}

} // namespace

TEST_CASE("a closed runtime refuses everything and wakes who waits", "[embedding]") {
  tests::temp_dir directory;
  auto rt = runtime::open({.data_dir = directory.path() / "data"});
  REQUIRE(rt);
  auto graph = rt->add_graph(long_wait());
  REQUIRE(graph);
  std::promise<ec> accepted, ended;
  rt->submit(
      {.graph = *graph}, [&](const result<job_id>& x) { accepted.set_value(x.code()); },
      [&](const result<job_info>& x) { ended.set_value(x.code()); });
  CHECK(accepted.get_future().get() == ec::none);
  auto job = rt->submit({.graph = *graph});
  REQUIRE(job);
  auto reader = rt->events(*job);
  REQUIRE(reader);
  auto waits = std::async(std::launch::async, [&] { return rt->wait(*job, patience).code(); });

  rt->close();
  rt->close();
  CHECK(waits.get() == ec::not_ready);
  CHECK(ended.get_future().get() == ec::not_ready);
  CHECK(reader->next(patience).code() == ec::not_ready);
  CHECK(rt->add_graph(long_wait()).code() == ec::not_ready);
  CHECK(rt->graph(*graph).code() == ec::not_ready);
  CHECK(rt->submit({.graph = *graph}).code() == ec::not_ready);
  CHECK(rt->get(*job).code() == ec::not_ready);
  CHECK(rt->cancel(*job).code() == ec::not_ready);
  CHECK(rt->events(*job).code() == ec::not_ready);

  auto again = runtime::open({.data_dir = directory.path() / "data"});
  REQUIRE(again); // The directory was given back.
  CHECK(again->get(*job)->state == job_state::running);
}
