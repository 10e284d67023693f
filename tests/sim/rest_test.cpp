#include "tests/sim/sim_graphs.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/catch.hpp"

#include <caf/send.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;
using core::job_request;

namespace {

graph_spec nap(const char* length) {
  graph_spec g;
  add(g, "nap", "delay").config = value::object{{"for", length}};
  work(g, "after");
  link(g, "nap", "after");
  return g;
}

/// Timers whose ends have no room in one record group; so short that their job keeps its actor.
void add_naps(graph_spec& g, int count) {
  for (int i = 0; i < count; ++i)
    add(g, "nap" + std::to_string(i), "delay").config =
        value::object{{"for", "900ms"}, {"hold", false}};
}

job_id only_job(world& w) {
  REQUIRE(w.clients.size() == 1);
  return w.clients.begin()->first;
}

storage::job_row row_of(world& w, job_id id) {
  auto row = w.context(id).view->find(id);
  REQUIRE(row);
  return *row;
}

} // namespace

TEST_CASE("a job that waits for time alone has no actor, and wakes", "[sim][rest]") {
  world w{31, 1};
  w.start();
  auto before = w.running_actors();
  w.submit(nap("1h"), "q");
  w.settle();
  auto id = only_job(w);
  CHECK(row_of(w, id).state == job_state::running);
  CHECK(row_of(w, id).wake_at != core::shard_time{});
  CHECK(w.running_actors() == before);
  w.advance(59min);
  CHECK(w.runner->started.empty());
  w.advance(1min);
  CHECK(w.runner->started.size() == 1);
  w.run();
  CHECK(row_of(w, id).state == job_state::completed);
  w.read_events();
  w.check_history();
  CHECK(w.clients[id].events.back().type == "end"); // Its watcher missed nothing.
}

TEST_CASE("a short wait keeps its actor", "[sim][rest]") {
  world w{32, 1};
  w.start();
  auto before = w.running_actors();
  w.submit(nap("900ms"), "q");
  w.settle();
  CHECK(w.running_actors() == before + 1);
}

TEST_CASE("jobs at rest do not count as running", "[sim][rest]") {
  world w{33, 1};
  w.settings.running_jobs_max = 2;
  w.start();
  for (int i = 0; i < 20; ++i)
    w.submit(nap("1h"), "q");
  w.settle();
  REQUIRE(w.clients.size() == 20);
  for (auto& [id, client] : w.clients)
    CHECK(row_of(w, id).wake_at != core::shard_time{});
  w.advance(1h); // All are due, two at a time.
  CHECK(w.runner->in_flight.size() == 2);
  w.run();
  w.check_history();
}

TEST_CASE("a job at rest is paused, frozen, resumed and cancelled", "[sim][rest]") {
  world w{34, 1};
  w.start();
  auto before = w.running_actors();
  w.submit(nap("1h"), "q");
  w.settle();
  auto id = only_job(w);
  w.advance(30min);
  w.move(id, job_request::pause);
  w.settle();
  CHECK(row_of(w, id).state == job_state::paused);
  CHECK(w.running_actors() == before);
  w.advance(5h);
  CHECK(w.runner->started.empty());
  w.move(id, job_request::resume);
  w.settle();
  w.advance(29min);
  CHECK(w.runner->started.empty());
  w.advance(1min);
  CHECK(w.runner->started.size() == 1);
  w.move(id, job_request::pause);
  w.move(id, job_request::pause); // Refused.
  w.move(id, job_request::cancel);
  w.live();
  CHECK(row_of(w, id).state == job_state::cancelled);
  auto& moves = w.clients[id].moves;
  CHECK(std::ranges::count_if(moves, [](auto& x) { return !x.second; }) == 1);
  w.check_history();
}

TEST_CASE("what is overdue when a node starts again wakes at once", "[sim][rest]") {
  for (auto asleep : {core::duration{10min}, core::duration{2h}}) {
    world w{35, 2};
    w.start();
    w.submit(nap("1h"), "q");
    w.settle();
    auto id = only_job(w);
    w.crash();
    w.sleep(asleep);
    w.start();
    w.settle();
    CHECK(w.runner->started.size() == (asleep > 1h ? 1 : 0));
    if (asleep < 1h)
      CHECK(row_of(w, id).wake_at != core::shard_time{}); // Still without an actor.
    w.run();
    w.check_history();
  }
}

TEST_CASE("requests meet a job at any moment of its going to rest", "[sim][rest]") {
  auto first = GENERATE(take(1, random(1, 1 << 30)));
  for (int i = 0; i < 60; ++i) {
    world w{static_cast<std::uint64_t>(first + i), static_cast<std::uint16_t>(i % 2 ? 4 : 1)};
    CAPTURE(w.seed);
    w.start();
    w.submit(nap("10s"), "q");
    while (w.clients.empty() && w.step())
      ;
    auto id = only_job(w);
    if (i % 3 == 0)
      w.dies_at = w.hits + 1 + w.chance() % 30;
    try {
      for (auto steps = w.chance() % 40; steps > 0 && w.step(); --steps)
        ;
      w.move(id, job_request::pause);
      for (auto steps = w.chance() % 20; steps > 0 && w.step(); --steps)
        ;
      w.move(id, job_request::resume);
      if (w.dead)
        throw node_died{};
    } catch (const node_died&) {
      w.crash();
      w.check_history();
      w.dies_at.reset();
      w.start();
    }
    w.dies_at.reset();
    w.settle();
    if (row_of(w, id).state == job_state::paused)
      w.move(id, job_request::resume);
    w.live();
    w.check_history();
    CHECK(row_of(w, id).state == job_state::completed);
  }
}

TEST_CASE("pending jobs are rows until their turn, whatever became of them", "[sim][pending]") {
  world w{36, 1};
  w.settings.running_jobs_max = 1;
  w.start();
  for (int i = 0; i < 6; ++i)
    w.submit(fatal(), "q");
  w.settle();
  REQUIRE(w.clients.size() == 6);
  std::vector<job_id> ids;
  for (auto& [id, client] : w.clients)
    ids.push_back(id);
  CHECK(row_of(w, ids[1]).state == job_state::pending);
  w.move(ids[1], job_request::cancel);
  w.move(ids[2], job_request::pause);
  w.move(ids[3], job_request::pause);
  w.move(ids[3], job_request::resume); // To the end of the queue.
  w.settle();
  CHECK(row_of(w, ids[1]).state == job_state::cancelled);
  CHECK(row_of(w, ids[2]).state == job_state::paused);
  w.crash();
  w.start();
  w.settle();
  CHECK(row_of(w, ids[2]).state == job_state::paused);
  w.move(ids[2], job_request::resume);
  w.live();
  for (std::size_t i : {0, 2, 3, 4, 5})
    CHECK(row_of(w, ids[i]).state == job_state::failed);
  w.check_history();
}

TEST_CASE("a clock that is set back holds up no timer", "[sim][rest]") {
  world w{36, 1};
  w.start();
  w.submit(nap("10s"), "q");
  w.settle();
  w.wall_is_ahead = -1h;
  w.advance(10s);
  CHECK(w.runner->started.empty());
  w.advance(1s); // Time is a sixteenth slower, until the clock has caught up.
  CHECK(w.runner->started.size() == 1);
  w.run();
  w.check_history();
}

TEST_CASE("a time that is farther away than any timer reaches does not come at once",
          "[sim][rest]") {
  world w{37, 1};
  w.settings.running_jobs_max = 1;
  w.start();
  graph_spec g;
  add(g, "late", "delay").config = value::object{{"until", "9999-01-01T00:00:00Z"}};
  w.submit(g, "q");
  w.settle();
  auto id = only_job(w);
  CHECK(row_of(w, id).state == job_state::running);
  w.submit(impure_chain(), "q"); // It runs, and the next one waits behind it.
  w.settle();
  w.expires_after = 24h * 365 * 7000;
  w.submit(impure_chain(), "q");
  w.settle();
  for (int i = 0; i < 10; ++i)
    w.advance(1h);
  for (auto& [job, client] : w.clients)
    CHECK_FALSE(terminal(row_of(w, job).state));
}

TEST_CASE("a job at rest is not woken while its shard closes, and goes on at the next start",
          "[sim][rest]") {
  auto beside_others = GENERATE(false, true);
  world w{40, 1};
  w.start();
  auto before = w.running_actors();
  w.submit(nap("1h"), "q");
  w.settle();
  auto id = only_job(w);
  if (beside_others)
    w.submit(impure_chain(), "q"); // It has an actor, which the shard waits for.
  w.settle();
  auto closed = false;
  caf::anon_send(w.context(id).shard.get(), messages::close_shard{[&] { closed = true; }});
  w.move(id, job_request::cancel);
  w.settle();
  CHECK(closed);
  w.move(id, job_request::pause); // The shard is closed, and still there.
  w.settle();
  auto& moves = w.clients[id].moves;
  REQUIRE(moves.size() == 2);
  for (auto& [on, done] : moves)
    CHECK(done.code() == ec::not_ready);
  CHECK(w.running_actors() == before);
  CHECK(w.context(id).log->state()); // Nothing has failed.
  w.crash();
  w.start();
  CHECK(row_of(w, id).state == job_state::running);
  CHECK(row_of(w, id).wake_at != core::shard_time{});
  w.advance(1h);
  w.live();
  for (auto& [job, client] : w.clients)
    CHECK(row_of(w, job).state == job_state::completed);
  w.check_history();
}

TEST_CASE("a job with more timers than one record group has room for is cancelled", "[sim][rest]") {
  world w{39, 1};
  w.start();
  graph_spec g;
  add_naps(g, 15'000);
  w.submit(g, "q");
  w.settle();
  auto id = only_job(w);
  w.move(id, job_request::cancel);
  w.settle();
  CHECK(row_of(w, id).state == job_state::cancelled);
}

TEST_CASE("a job that was being cancelled loses more at once than one record group has room for",
          "[sim][rest]") {
  auto its_actor_fails = GENERATE(false, true);
  CAPTURE(its_actor_fails);
  world w{41, 1};
  w.settings.job_restarts.intensity = 0;
  w.start();
  graph_spec g;
  work(g, "a");
  add_naps(g, 15'000);
  w.submit(g, "q");
  w.settle();
  auto id = only_job(w);
  w.move(id, job_request::cancel);
  while (!w.journal->has_waiting())
    w.scheduler().try_run_once();
  w.journal->complete(0);                 // Of the groups by which the timers end
  w.journal->crash([] { return false; }); // only the first becomes durable.
  w.crash();
  if (its_actor_fails) // Then the shard ends the rest.
    w.runner->on_cancel = [] { throw std::runtime_error{"a defect"}; };
  w.start();
  CHECK(w.context(id).log->state());
  CHECK(row_of(w, id).state == job_state::cancelled);
  CHECK(w.env->counted.job_escalations == (its_actor_fails ? 1 : 0));
}

TEST_CASE("a pure vertex that is tried again does not run twice after a pause", "[sim][rest]") {
  world w{38, 1};
  w.start();
  graph_spec g;
  auto& v = add(g, "jq", "jq");
  v.config = value::object{{"program", "."}};
  v.retry.max_attempts = 3;
  w.submit(g, "q");
  w.settle();
  auto id = only_job(w);
  auto fail = [&] {
    REQUIRE(w.runner->in_flight.size() == 1);
    auto attempt = std::move(w.runner->in_flight.front());
    w.runner->in_flight.clear();
    attempt.done({actors::attempt_end::failed, {}, {"no", "", "not this time"}});
    w.settle();
    w.advance(10min);
  };
  fail();
  REQUIRE(w.runner->in_flight.size() == 1);
  for (int i = 0; i < 3; ++i) {
    w.move(id, job_request::pause);
    w.move(id, job_request::resume);
    w.settle();
  }
  fail();
  w.run();
  CHECK(row_of(w, id).state == job_state::completed);
  w.check_history();
}

TEST_CASE("a job that cannot be read is tried again each minute, and others go on", "[sim][rest]") {
  world w{47, 1};
  graph_spec other;
  work(other, "other");
  w.start();
  w.submit(nap("1h"), "q");
  w.settle();
  auto id = only_job(w);
  w.advance(59min);
  REQUIRE(w.env->graphs->add({}, other));
  auto whole = std::exchange(w.env->graphs,
                             std::make_shared<actors::graph_store>(storage::memory_blob_store()));
  w.advance(1min); // It is due, and its graph is not there.
  w.submit(other, "q");
  w.settle();
  CHECK(w.runner->started.size() == 1);
  w.advance(1min);
  CHECK(row_of(w, id).state == job_state::running);
  std::swap(w.env->graphs, whole);
  w.advance(59s);
  CHECK(w.runner->started.size() == 1);
  w.advance(1s);
  CHECK(w.runner->started.size() == 2);
  w.run();
  CHECK(row_of(w, id).state == job_state::completed);
  w.read_events();
  w.check_history();
}

TEST_CASE("a job whose values are gone can be ended, and ends if that was asked before",
          "[sim][rest]") {
  world w{48, 1};
  w.start();
  w.submit(large(), "q");
  auto is_after = [](auto& x) { return x.what.vertex == "after"; };
  while (std::ranges::none_of(w.runner->in_flight, is_after))
    REQUIRE(w.step());
  w.settle();
  auto id = only_job(w);
  auto before = GENERATE(true, false);
  auto paused = !before && GENERATE(true, false);
  auto on = GENERATE(job_request::cancel, job_request::stop);
  CAPTURE(before, paused, on);
  if (before || paused)
    w.move(id, before ? on : job_request::pause);
  w.settle();
  w.crash();
  w.started = [&w] {
    w.env->get_blob = [](auto, auto&) { return error{ec::blob_missing, "gone"}; };
  };
  w.start();
  w.settle();
  auto asked = w.clients[id].moves.size();
  if (!before) {
    CHECK_FALSE(terminal(row_of(w, id).state));
    w.move(id, on);
    w.settle();
    REQUIRE(w.clients[id].moves.size() == asked + 1);
    CHECK(w.clients[id].moves.back().second);
  }
  w.run();
  CHECK(row_of(w, id).state
        == (on == job_request::cancel ? job_state::cancelled : job_state::stopped));
  w.submit(impure_chain(), "q"); // Nothing of it counts as running any more.
  w.run();
  w.read_events();
  w.check_history();
}
