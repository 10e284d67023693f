#include "actors/answer_once.hpp"
#include "tests/sim/sim_graphs.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/catch.hpp"

#include <caf/send.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

TEST_CASE("no vertex starts while too many blobs wait for the disk", "[sim][bounds]") {
  world w{21, 1};
  w.start();
  std::size_t waiting = limits::blob_queue_bytes_max;
  w.env->blob_bytes_waiting = [&] { return waiting; };
  std::size_t starts = 0;
  w.runner->on_start = [&](auto&) { ++starts; };
  graph_spec g;
  work(g, "a");
  w.submit(g, "q");
  w.settle();
  REQUIRE(w.clients.size() == 1);
  for (int i = 0; i < 10; ++i)
    w.advance(1s);
  CHECK(starts == 0);
  waiting = 0;
  w.run();
  CHECK(starts == 1);
  w.check_history();
}

TEST_CASE("a pure attempt at a runner tells how long it took", "[sim]") {
  world w{23, 1};
  w.start();
  graph_spec g;
  add(g, "jq", "jq").config = value::object{{"program", "."}};
  w.submit(g, "q");
  w.settle();
  auto id = w.clients.begin()->first;
  REQUIRE(w.runner->in_flight.size() == 1);
  w.advance(1500ms);
  w.run();
  w.read_events();
  std::vector<value> took;
  for (auto& x : w.clients[id].events)
    if (x.type == "end_vertex")
      took.push_back(*x.data.find("duration_ms"));
  CHECK(took == std::vector{value{1500}});
}

TEST_CASE("who asks a shard that fails is told at once, and nothing is lost", "[sim][bounds]") {
  world w{22, 1};
  w.start();
  graph_spec g;
  work(g, "a");
  w.submit(g, "q");
  w.settle();
  auto id = w.clients.begin()->first;
  w.tell_shard_to_fail(id);
  std::vector<ec> told;
  auto ask = [&] {
    auto done = actors::answered<result<job_info>>([&](auto& x) { told.push_back(x.code()); });
    caf::anon_send(w.context(id).shard.get(), messages::get_job{id, std::move(done)});
  };
  ask(); // Behind what ends the actor.
  while (w.scheduler().try_run_once())
    ;
  ask(); // To nobody, until the back-off is over.
  CHECK(told == std::vector{ec::not_ready, ec::not_ready});
  w.run();
  ask();
  w.settle();
  CHECK(told.back() == ec::none);
  w.check_history();
}
