#include "tests/embedding/caf_world.hpp"

#include <caf/event_based_actor.hpp>

using namespace troupe;
using namespace troupe::tests;

namespace {

using cause = host::end_attempt::cause;

/// A runtime whose vertices of the name `w` are run by the test.
struct bench : caf_world {
  std::optional<caf::scoped_actor> worker{system};
  caf_runtime runtime{open()};

  caf_runtime open(std::size_t parallel_max = 64) {
    auto opened = caf_runtime::open(
        system, {.memory = true}, {},
        {{.name = "w", .actor = caf::actor{*worker}, .parallel_max = parallel_max}});
    REQUIRE(opened);
    return std::move(*opened);
  }

  job_id submit(graph_builder& graph, value input = {}) {
    auto id = runtime.blocking().add_graph(graph.build());
    REQUIRE(id);
    auto job = runtime.blocking().submit({.graph = *id, .input = std::move(input)});
    REQUIRE(job);
    return *job;
  }

  job_info ended(job_id job) {
    auto info = runtime.blocking().wait(job, patience);
    REQUIRE(info);
    return *info;
  }

  /// What the vertex `v` has failed with: from its last `end_vertex` event.
  problem wrong_with(job_id job) {
    problem found;
    auto reader = runtime.blocking().events(job);
    REQUIRE(reader);
    for (auto seen = reader->next(patience); seen && !seen->empty(); seen = reader->next(patience))
      for (auto& x : *seen)
        if (auto wrong = x.data.find("error"); x.type == "end_vertex" && wrong && wrong->members())
          found = {*wrong->find("code")->string(), "", *wrong->find("detail")->string()};
    return found;
  }
};

} // namespace

TEST_CASE_METHOD(bench, "an actor of the host runs a vertex", "[embedding]") {
  auto graph = one_actor({{"name", "w"}, {"arguments", 5}});
  graph.vertex().timeouts.hard = 50s;
  auto before = std::chrono::steady_clock::now();
  auto job = submit(graph, "in");
  auto held = take(*worker);
  CHECK(held.what.job == job);
  CHECK(held.what.vertex == "v");
  CHECK(held.what.number == 1);
  CHECK(held.what.idempotency_key == to_string(job) + "/v");
  CHECK(held.what.arguments == 5);
  CHECK(*held.what.inputs.find("job") == "in");
  REQUIRE(held.what.deadline);
  CHECK(*held.what.deadline - before >= 50s);
  CHECK(held.what.token != host::attempt_token{});
  held.answer.deliver(value{"out"});
  auto info = ended(job);
  CHECK(info.state == job_state::completed);
  CHECK(*info.result.find("v") == "out");
}

TEST_CASE_METHOD(bench, "an actor chooses the code of its failure", "[embedding]") {
  auto graph = one_actor({{"name", "w"}});
  graph.vertex().retry = {.max_attempts = 2, .base = 1ms};
  auto job = submit(graph);
  take(*worker).answer.deliver(host::failed("no_stock", "sold out"));
  auto again = take(*worker);
  CHECK(again.what.number == 2);
  again.answer.deliver(caf::make_error(caf::sec::bad_function_call));
  CHECK(ended(job).state == job_state::failed);
  CHECK(wrong_with(job).code == "error");

  auto chosen = submit(graph = one_actor({{"name", "w"}}));
  take(*worker).answer.deliver(host::failed("no_stock", "sold out"));
  CHECK(ended(chosen).state == job_state::failed);
  CHECK(wrong_with(chosen) == problem{"no_stock", "", "sold out"});
}

TEST_CASE_METHOD(bench, "an answer that is no value fails the attempt", "[embedding]") {
  auto graph = one_actor({{"name", "w"}});
  auto job = submit(graph);
  take(*worker).answer.deliver(std::string{"not a troupe::value"});
  CHECK(ended(job).state == job_state::failed);
  CHECK(wrong_with(job).code == "bad_answer");
}

TEST_CASE_METHOD(bench, "the death of an actor fails its attempts", "[embedding]") {
  auto graph = one_actor({{"name", "w"}});
  graph.vertex().retry = {.max_attempts = 2, .base = 1ms};
  auto job = submit(graph);
  auto held = take(*worker); // It will never answer.
  worker.reset();
  CHECK(ended(job).state == job_state::failed); // Nobody has replaced it.
  CHECK(wrong_with(job).code == "actor_down");

  worker.emplace(system);
  CHECK(runtime.replace("other", caf::actor{*worker}).code() == ec::invalid_spec);
  CHECK(runtime.replace("w", {}).code() == ec::invalid_spec);
  REQUIRE(runtime.replace("w", caf::actor{*worker}));
  auto next = submit(graph);
  take(*worker).answer.deliver(value{1});
  CHECK(ended(next).state == job_state::completed);
}

TEST_CASE_METHOD(bench, "an attempt that waits for a dead actor fails, too", "[embedding]") {
  runtime = open(1);
  auto graph = one_actor({{"name", "w"}});
  graph.add("u", "actor", {{"name", "w"}});
  auto job = submit(graph);
  auto held = take(*worker);
  worker.reset();
  CHECK(ended(job).state == job_state::failed);
}

TEST_CASE_METHOD(bench, "an actor has no more attempts at once than it takes", "[embedding]") {
  runtime = open(2);
  graph_builder graph{"five"};
  for (int i = 0; i < 5; ++i)
    graph.add("v" + std::to_string(i), "actor", {{"name", "w"}});
  auto job = submit(graph);
  std::vector<held_attempt> held;
  for (int done = 0; done < 5; ++done) {
    while (held.size() + done < 5 && held.size() < 2)
      held.push_back(take(*worker));
    CHECK(runtime.blocking().get(job)->in(vertex_state::succeeded) <= unsigned(done));
    (*worker)->receive([](const host::attempt&) { FAIL("a third attempt at once"); },
                       caf::after(0s) >> [] {});
    held.front().answer.deliver(value{done});
    held.erase(held.begin());
  }
  CHECK(ended(job).state == job_state::completed);
}

TEST_CASE_METHOD(bench, "the soft time-out reaches the actor", "[embedding]") {
  auto graph = one_actor({{"name", "w"}});
  graph.vertex().timeouts.soft = 20ms;
  auto job = submit(graph);
  auto held = take(*worker);
  CHECK_FALSE(held.what.deadline);
  auto told = told_to_end(*worker);
  CHECK(told.why == cause::soft_timeout);
  CHECK(told.token == held.what.token);
  held.answer.deliver(value{"as far as I got"});
  CHECK(ended(job).state == job_state::failed);
  CHECK(wrong_with(job).code == "timed_out");
}

TEST_CASE_METHOD(bench, "the hard time-out ends the attempt without the actor", "[embedding]") {
  auto graph = one_actor({{"name", "w"}});
  graph.vertex().timeouts.hard = 20ms;
  graph.vertex().retry = {.max_attempts = 2, .base = 1ms};
  auto job = submit(graph);
  auto late = take(*worker);
  CHECK(told_to_end(*worker).why == cause::hard_timeout);
  auto again = take(*worker);
  CHECK(again.what.token != late.what.token);
  late.answer.deliver(value{"late"}); // Dropped: its attempt is over.
  again.answer.deliver(value{"in time"});
  auto info = ended(job);
  if (info.state == job_state::completed) // On a slow machine the second was late, too.
    CHECK(*info.result.find("v") == "in time");
  else
    CHECK(wrong_with(job).code == "timed_out");
}

TEST_CASE_METHOD(bench, "a cancel reaches the actor, and its job ends", "[embedding]") {
  auto graph = one_actor({{"name", "w"}});
  auto job = submit(graph);
  auto held = take(*worker);
  CHECK(change(runtime.handle(), job, host::change::step::cancel) == ec::none);
  CHECK(told_to_end(*worker).why == cause::cancelled);
  held.answer.deliver(value{});
  CHECK(ended(job).state == job_state::cancelled);

  auto stopped = submit(graph);
  auto ignored = take(*worker); // Does not answer.
  CHECK(change(runtime.handle(), stopped, host::change::step::stop) == ec::none);
  CHECK(told_to_end(*worker).why == cause::cancelled);
  CHECK(ended(stopped).state == job_state::stopped);
}

TEST_CASE_METHOD(bench, "what an actor says of its attempt is an event", "[embedding]") {
  auto graph = one_actor({{"name", "w"}});
  auto job = submit(graph);
  auto held = take(*worker);
  (*worker)->send(held.from, host::attempt_log{held.what.token, "half way"});
  (*worker)->send(held.from, host::attempt_log{{1, 2}, "of another attempt"});
  held.answer.deliver(value{});
  ended(job);
  std::vector<std::string> said;
  auto reader = runtime.blocking().events(job);
  for (auto seen = reader->next(patience); seen && !seen->empty(); seen = reader->next(patience))
    for (auto& x : *seen)
      if (x.type == "log")
        said.push_back(*x.data.find("text")->string());
  CHECK(said == std::vector<std::string>{"half way"});
}

TEST_CASE_METHOD(bench, "a graph can only name actors that are registered", "[embedding]") {
  auto wrong = runtime.blocking().check(one_actor({{"name", "x"}}).build());
  REQUIRE(wrong.size() == 1);
  CHECK(wrong.front().code == "unknown_actor");
  CHECK(wrong.front().pointer == "/vertices/0/config/name");
  CHECK(runtime.blocking().check(one_actor({}).build()).size() == 1);

  auto without = caf_runtime::open(system, {.memory = true});
  REQUIRE(without);
  auto unknown = without->blocking().check(one_actor({{"name", "w"}}).build());
  REQUIRE(unknown.size() == 1);
  CHECK(unknown.front().pointer == "/vertices/0/kind");
}
