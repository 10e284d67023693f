#include "actors/answer_once.hpp"
#include "tests/sim/sim_graphs.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/catch.hpp"

#include <caf/send.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;

namespace {

graph_spec two_works() {
  graph_spec g;
  work(g, "a");
  work(g, "b");
  link(g, "a", "b");
  return g;
}

job_id only_job(world& w) {
  REQUIRE(w.clients.size() == 1);
  return w.clients.begin()->first;
}

template <class Message>
void tell_shard(world& w, job_id id, Message m) {
  caf::anon_send(w.context(id).shard.get(), std::move(m));
}

job_state state_of(world& w, job_id id) { return w.context(id).view->find(id)->state; }

} // namespace

TEST_CASE("a job whose actor fails is started again from its records", "[sim][supervision]") {
  world w{3, 2};
  w.start();
  int failures = 3;
  w.runner->on_start = [&](auto&) {
    if (failures-- > 0)
      throw std::runtime_error{"a defect"};
  };
  w.submit(two_works(), "q");
  w.run();
  auto id = only_job(w);
  CHECK(state_of(w, id) == job_state::completed);
  CHECK(w.env->counted.job_restarts == 3);
  CHECK(w.env->counted.job_escalations == 0);
  w.check_history();
}

TEST_CASE("a job whose actor fails too often has failed, once, and others go on",
          "[sim][supervision]") {
  world w{4, 1};
  w.start();
  w.runner->on_start = [&](const actors::attempt& x) {
    if (x.vertex == "bad")
      throw std::runtime_error{"a defect"};
  };
  w.submit(fatal(), "q");
  w.submit(two_works(), "q");
  w.run();
  w.check_history();
  REQUIRE(w.clients.size() == 2);
  auto bad = w.clients.begin()->first, good = w.clients.rbegin()->first;
  CHECK(state_of(w, bad) == job_state::failed);
  CHECK(w.context(bad).view->find(bad)->error.code == "supervisor_escalation");
  CHECK(state_of(w, good) == job_state::completed);
  CHECK(w.env->counted.job_escalations == 1);
  CHECK(w.env->counted.job_restarts == w.settings.job_restarts.intensity);
}

TEST_CASE("a job that fails for good and cannot be read is set aside, and who waits for it is told",
          "[sim][supervision]") {
  world w{12, 1};
  w.settings.job_restarts.intensity = 0;
  w.start();
  w.submit(two_works(), "q");
  w.submit(two_works(), "q");
  w.settle();
  REQUIRE(w.clients.size() == 2);
  auto id = w.clients.begin()->first;
  std::vector<ec> waited;
  auto wait = [&](job_id job) {
    tell_shard(w, id,
               messages::await_end{job, messages::end_waiter{actors::answered<result<job_info>>(
                                            [&](auto& x) { waited.push_back(x.code()); })}});
    w.settle();
  };
  for (auto& [job, client] : w.clients)
    wait(job);
  CHECK(waited.empty());
  w.runner->on_start = [](auto&) { throw std::runtime_error{"a defect"}; };
  auto whole = std::exchange(w.env->graphs,
                             std::make_shared<actors::graph_store>(storage::memory_blob_store()));
  auto attempt = std::move(w.runner->in_flight.front());
  w.runner->in_flight.pop_front();
  REQUIRE(attempt.what.job == id);
  attempt.done({actors::attempt_end::succeeded, {}, {}});
  w.settle();
  CHECK(w.env->counted.job_escalations == 1);
  CHECK(w.context(id).log->state());
  CHECK(waited == std::vector{ec::no_such_graph});
  wait(id);
  CHECK(waited.size() == 2);
  w.runner->on_start = {};
  w.env->graphs = whole;
  w.live();
  for (auto& [job, client] : w.clients)
    CHECK(state_of(w, job) == job_state::completed);
  CHECK(waited.size() == 3); // Who waits for the other job.
  w.check_history();
}

TEST_CASE("a shard that fails is started again and loses nothing", "[sim][supervision]") {
  world w{5, 1};
  w.start();
  w.submit(two_works(), "q");
  w.settle();
  auto id = only_job(w);
  auto before = w.context(id).shard.get();
  w.tell_shard_to_fail(id);
  w.run();
  CHECK(w.context(id).shard.get() != before);
  CHECK(state_of(w, id) == job_state::completed);
  w.check_history();
}

TEST_CASE("actors of ended jobs go after their grace, whatever the end", "[sim][supervision]") {
  auto grace = GENERATE(core::duration{300s}, core::duration{60s});
  auto on = GENERATE(core::job_request::complete, core::job_request::fail,
                     core::job_request::cancel, core::job_request::stop);
  world w{6, 1};
  w.settings.cleanup_grace = grace;
  w.start();
  auto idle = w.running_actors();
  w.submit(on == core::job_request::fail ? fatal() : two_works(), "q");
  w.settle();
  auto id = only_job(w);
  if (on == core::job_request::cancel || on == core::job_request::stop)
    w.move(id, on);
  w.run();
  REQUIRE(terminal(state_of(w, id)));
  CHECK(w.running_actors() == idle + 1);
  w.advance(grace - 1s);
  CHECK(w.running_actors() == idle + 1);
  w.advance(12s); // Looked for each ten seconds.
  CHECK(w.running_actors() == idle);
  CHECK(terminal(state_of(w, id))); // The record stays.
}

TEST_CASE("no more ended jobs than the limit keep their actors", "[sim][supervision]") {
  world w{7, 1};
  w.settings.ended_jobs_live_max = 3;
  w.start();
  auto idle = w.running_actors();
  for (int i = 0; i < 10; ++i)
    w.submit(chain(1), "q");
  w.run();
  w.settle();
  CHECK(w.running_actors() == idle + 3);
}

TEST_CASE("jobs beyond the limit wait, in order", "[sim][admission]") {
  world w{8, 1};
  w.settings.running_jobs_max = 2;
  w.start();
  for (int i = 0; i < 6; ++i)
    w.submit(two_works(), "q");
  w.settle();
  std::vector<job_state> states;
  for (auto& [id, client] : w.clients)
    states.push_back(state_of(w, id));
  using enum job_state;
  CHECK(states == std::vector{running, running, pending, pending, pending, pending});
  w.run();
  w.check_history();
  core::shard_time before{};
  for (auto& [id, client] : w.clients) {
    CHECK(state_of(w, id) == completed);
    CHECK(w.context(id).view->find(id)->started >= before);
    before = w.context(id).view->find(id)->started;
  }
}

TEST_CASE("a failed disk is told to everyone and nothing is told as durable", "[sim][journal]") {
  world w{9, 1};
  w.start();
  w.submit(two_works(), "q");
  w.settle();
  auto id = only_job(w);
  std::vector<ec> waited;
  auto wait = [&] {
    tell_shard(w, id,
               messages::await_end{id, messages::end_waiter{actors::answered<result<job_info>>(
                                           [&](auto& x) { waited.push_back(x.code()); })}});
  };
  wait();
  w.move(id, core::job_request::cancel);
  while (!w.journal->has_waiting())
    w.scheduler().try_run_once();
  CHECK(waited.empty());
  w.journal->fail_next();
  while (w.scheduler().try_run_once())
    ;
  REQUIRE(w.clients[id].moves.size() == 1);
  CHECK(w.clients[id].moves.front().second.code() == ec::journal_failed);
  wait(); // The job will not end, now or later.
  while (w.scheduler().try_run_once())
    ;
  CHECK(waited == std::vector{ec::journal_failed, ec::journal_failed});
  CHECK(state_of(w, id) == job_state::running);
}

TEST_CASE("a shard closes while a job of it waits to be started again", "[sim][supervision]") {
  world w{10, 1};
  w.start();
  auto before = w.running_actors();
  w.runner->on_start = [](auto&) { throw std::runtime_error{"a defect"}; };
  w.submit(two_works(), "q");
  w.settle(); // Its actor has failed; the next one comes after a back-off.
  auto id = only_job(w);
  auto effects = w.runner->started.size();
  auto closed = false;
  tell_shard(w, id, messages::close_shard{[&] { closed = true; }});
  w.settle();
  CHECK(closed);           // It waits for nothing,
  w.runner->on_start = {}; // and a new actor, which would go on, does not come.
  w.advance(std::chrono::minutes{1});
  CHECK(w.runner->started.size() == effects);
  CHECK(w.running_actors() == before);
}
