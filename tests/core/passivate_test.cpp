#include "core/decide_passivate.hpp"
#include "tests/core/scene.hpp"
#include "tests/sim/sim_graphs.hpp"

using namespace troupe;
using namespace troupe::core;
using namespace troupe::tests;

namespace {

graph_spec naps(std::initializer_list<const char*> lengths) {
  graph_spec g;
  for (auto length : lengths)
    add(g, std::string{"nap_"} + length, "delay").config = value::object{{"for", length}};
  return g;
}

/// A begun job whose ready vertices have all been started.
scene begun(const graph_spec& g) {
  scene s{compile(g, {})};
  REQUIRE(s.move(job_request::start));
  for (auto v : std::vector{s.ready})
    REQUIRE(s.start(v));
  return s;
}

shard_time wake_of(const record_group& group) {
  REQUIRE(group.size() == 1);
  return std::get<job_passivated>(group.front().body).wake_at;
}

} // namespace

TEST_CASE("a job that waits for its timers alone rests until the first one", "[core][passivate]") {
  auto s = begun(naps({"5s", "1h"}));
  CHECK(wake_of(decide_passivate(s.live, s.now)) == s.now + 5s);
  CHECK(wake_of(decide_passivate(s.live, s.now + 4s)) == s.now + 5s);
  CHECK(decide_passivate(s.live, s.now + 4001ms).empty()); // Too short a rest.
  s.commit(decide_passivate(s.live, s.now));               // Changes nothing of the job.
  s.now += 5s;
  CHECK(s.end(0, attempt_end::succeeded));
  CHECK(wake_of(decide_passivate(s.live, s.now)) == s.now + 1h - 5s);
}

TEST_CASE("a job that does anything else does not rest", "[core][passivate]") {
  scene pending{compile(naps({"1h"}), {})};
  CHECK(decide_passivate(pending.live, pending.now).empty());
  CHECK(pending.move(job_request::pause));
  CHECK(decide_passivate(pending.live, pending.now).empty()); // It has never begun.

  auto ready = naps({"1h", "2h"});
  scene s{compile(ready, {})};
  REQUIRE(s.move(job_request::start));
  REQUIRE(s.start(0));
  CHECK(decide_passivate(s.live, s.now).empty()); // The other vertex is ready.

  auto g = naps({"1h"});
  work(g, "program");
  auto busy = begun(g);
  CHECK(decide_passivate(busy.live, busy.now).empty());
  REQUIRE(busy.end(1, attempt_end::succeeded));
  CHECK_FALSE(decide_passivate(busy.live, busy.now).empty());

  auto ending = begun(naps({"1h"}));
  REQUIRE(ending.move(job_request::cancel));
  CHECK(decide_passivate(ending.live, ending.now).empty());
}

TEST_CASE("a back-off is a rest, too", "[core][passivate]") {
  graph_spec g;
  auto& v = work(g, "flaky", 2);
  v.retry.max_attempts = 3;
  v.retry.base = 10s;
  v.retry.cap = 10s;
  v.retry.jitter = false;
  auto s = begun(g);
  REQUIRE(s.end(0, attempt_end::failed));
  CHECK(wake_of(decide_passivate(s.live, s.now)) == s.now + 10s);
}

TEST_CASE("a paused job rests until it is asked, unless a program runs", "[core][passivate]") {
  auto g = naps({"1h"});
  work(g, "program");
  auto s = begun(g);
  REQUIRE(s.move(job_request::pause));
  CHECK(decide_passivate(s.live, s.now).empty());
  REQUIRE(s.end(1, attempt_end::succeeded));
  CHECK(wake_of(decide_passivate(s.live, s.now)) == shard_time{});
}

TEST_CASE("a large job needs a longer rest", "[core][passivate]") {
  auto g = naps({"5s"});
  for (int i = 0; i < 6000; ++i)
    add(g, "v" + std::to_string(i)).config = value::object{{"output", i}};
  scene s{compile(g, {})};
  REQUIRE(s.move(job_request::start));
  for (auto v : std::vector{s.ready})
    if (v == 0)
      REQUIRE(s.start(v));
    else
      s.end_pure(v, attempt_end::succeeded);
  CHECK(rest_min(s.live) == 7s);
  CHECK(decide_passivate(s.live, s.now).empty());
}
