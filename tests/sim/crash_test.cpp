#include "actors/job_blobs.hpp"
#include "actors/job_book.hpp"
#include "graph_json/value_json.hpp"
#include "tests/sim/sim_graphs.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/sanitized.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

void play(world& w, const graph_spec& g) {
  w.start();
  w.submit(g, "default");
  w.submit(g, "other", 1);
  w.live();
  w.check_history();
}

/// What a job comes to must not depend on crashes: states and results.
std::multiset<std::string> ends_of(world& w) {
  std::multiset<std::string> ends;
  for (auto& shard : w.contexts)
    for (auto& row : rows_of(*shard->view)) {
      auto job = shard->view->load(row.id, w.graphs());
      REQUIRE(job);
      REQUIRE(actors::load_blobs(*job, *w.env));
      ends.insert(to_string(row.state) + (' ' + graph_json::to_json(actors::info_of(*job).result)));
    }
  return ends;
}

} // namespace

TEST_CASE("a crash at every failpoint keeps every promise", "[sim][crash]") {
  auto shards = GENERATE(std::uint16_t{1}, std::uint16_t{4});
  for (auto& g : sim_graphs) {
    world calm{1, shards};
    play(calm, g.make());
    auto expected = ends_of(calm);
    REQUIRE(calm.hits > 10);
    for (std::uint64_t at = 1; at <= calm.hits; at = next_case(at)) {
      world w{at, shards};
      w.dies_at = at;
      CAPTURE(g.name, shards, at, w.seed);
      play(w, g.make());
      for (auto& end : ends_of(w))
        CHECK(expected.contains(end));
    }
  }
}

TEST_CASE("crashes during recovery keep every promise", "[sim][crash]") {
  auto first = GENERATE(take(1, random(1, 1 << 30)));
  for (int i = 0; i < 60; ++i) {
    world w{static_cast<std::uint64_t>(first + i), static_cast<std::uint16_t>(i % 2 ? 4 : 1)};
    CAPTURE(w.seed);
    w.dies_at = 1 + w.chance() % 40;
    w.start();
    for (auto& g : sim_graphs)
      w.submit(g.make(), g.name);
    for (int crashes = 0; crashes < 6; ++crashes)
      try {
        w.run();
        break;
      } catch (const node_died&) {
        w.crash();
        w.check_history();
        w.hits = 0;
        w.dies_at = 1 + w.chance() % 40;
        w.start();
      }
    w.live();
    w.check_history();
  }
}

TEST_CASE("requests at any moment lead to legal ends", "[sim]") {
  auto first = GENERATE(take(1, random(1, 1 << 30)));
  using core::job_request;
  constexpr job_request requests[]{job_request::cancel, job_request::stop, job_request::pause};
  for (int i = 0; i < 120; ++i) {
    world w{static_cast<std::uint64_t>(first + i), 2};
    CAPTURE(w.seed);
    auto on = requests[i % 3];
    w.start();
    w.submit(sim_graphs[static_cast<std::size_t>(i) % std::size(sim_graphs)].make(), "q");
    w.settle();
    REQUIRE(w.clients.size() == 1);
    auto id = w.clients.begin()->first;
    for (auto steps = w.chance() % 60; steps > 0 && w.step(); --steps)
      ;
    w.move(id, on);
    w.settle();
    if (on == job_request::pause) {
      auto before = w.context(id).view->find(id)->state;
      w.advance(std::chrono::hours{5});
      CHECK(w.context(id).view->find(id)->state == before); // Timers stand still.
      w.move(id, job_request::resume);
      w.settle();
    }
    w.live();
    w.check_history();
    auto end = w.context(id).view->find(id)->state;
    REQUIRE(w.clients[id].moves.size() >= 1);
    if (w.clients[id].moves.front().second)
      CHECK(
          ((on == job_request::pause) || end == job_state::cancelled || end == job_state::stopped));
    else
      CHECK(w.clients[id].moves.front().second.code() == ec::illegal_request);
  }
}

TEST_CASE("a seed reproduces a run exactly", "[sim]") {
  std::vector<std::string> runs[2];
  for (auto& events : runs) {
    world w{7, 4};
    play(w, mixed());
    for (auto& [id, client] : w.clients)
      for (auto& x : client.events)
        events.push_back(to_string(id) + std::to_string(x.id) + std::string{x.type}
                         + std::to_string(x.time.time_since_epoch().count()));
  }
  CHECK_FALSE(runs[0].empty());
  CHECK(runs[0] == runs[1]);
}
