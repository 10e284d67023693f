#include "tests/embedding/caf_world.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <future>

using namespace troupe;
using namespace troupe::tests;

namespace {

/// Many vertices that do nothing: many events.
graph_builder fan(int vertices) {
  graph_builder graph{"fan"};
  for (int i = 0; i < vertices; ++i)
    graph.add("v" + std::to_string(i), "noop");
  return graph;
}

struct bench : caf_world {
  caf::scoped_actor worker{system};
  caf_runtime runtime{open({.memory = true})};

  caf_runtime open(const runtime_config& config) {
    auto opened = caf_runtime::open(system, config, {}, {{"w", caf::actor{worker}}});
    REQUIRE(opened);
    return std::move(*opened);
  }

  job_id submit(const graph_spec& graph) {
    auto id = ask<graph_id>(runtime.handle(), host::add_graph{graph});
    REQUIRE(id);
    auto job = ask<job_id>(runtime.handle(), host::submit{{.graph = *id}});
    REQUIRE(job);
    return *job;
  }

  job_info ended(job_id job) {
    auto info = ask<job_info>(runtime.handle(), host::wait{job});
    REQUIRE(info);
    return *info;
  }

  host::subscription subscribe(job_id job, std::uint32_t credit, std::uint64_t from = 1) {
    auto made = ask<host::subscription>(runtime.handle(), host::subscribe{job, from, credit});
    REQUIRE(made);
    return *made;
  }

  void more(const host::subscription& of, std::uint32_t credit) {
    self->send(runtime.handle(), host::more{of, credit});
  }

  /// Whether anything but an answer waits for the test, once the runtime has done what it was told.
  bool anything_waits() {
    (void)ask<job_info>(runtime.handle(), host::get{});
    return !self->mailbox().empty();
  }

  /// All events that a reader that blocks gets.
  std::vector<event> all_events(job_id job) {
    std::vector<event> all;
    auto reader = runtime.blocking().events(job);
    REQUIRE(reader);
    for (auto seen = reader->next(patience); seen && !seen->empty(); seen = reader->next(patience))
      all.insert(all.end(), seen->begin(), seen->end());
    return all;
  }
};

} // namespace

TEST_CASE("a system that was not prepared is refused", "[embedding]") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  auto opened = caf_runtime::open(system, {.memory = true});
  REQUIRE_FALSE(opened);
  CHECK(opened.code() == ec::unsupported);
  CHECK(opened.error().detail.find("prepare") != std::string::npos);
}

TEST_CASE_METHOD(caf_world, "entries without a name of their own or an actor are refused",
                 "[embedding]") {
  auto code = [&](std::vector<actor_entry> entries) {
    return caf_runtime::open(system, {.memory = true}, {}, std::move(entries)).code();
  };
  caf::actor me{self};
  CHECK(code({{"a", me}, {"a", me}}) == ec::invalid_spec);
  CHECK(code({{"not a name", me}}) == ec::invalid_spec);
  CHECK(code({{"a", {}}}) == ec::invalid_spec);
  CHECK(code({{"a", me, 0}}) == ec::invalid_spec);
}

TEST_CASE("the messages have names and a block of their own", "[embedding]") {
  using block = caf::id_block::troupe_host;
  CHECK(block::begin == TROUPE_CAF_FIRST_TYPE_ID);
  CHECK(block::end - block::begin <= 32); // What the header says.
  prepared_config config;
  CHECK(config.value_factories_by_name.count("troupe::host::submit") == 1);
  CHECK(config.value_factories_by_name.count("troupe::job_info") == 1);
}

TEST_CASE_METHOD(bench, "actors add graphs, submit jobs and ask for them", "[embedding]") {
  auto job = submit(fan(3).build());
  auto info = ended(job);
  CHECK(info.state == job_state::completed);
  auto got = ask<job_info>(runtime.handle(), host::get{job});
  REQUIRE(got);
  CHECK(got->id == job);
  CHECK(got->result == info.result);
}

TEST_CASE_METHOD(bench, "refusals have the runtime's codes", "[embedding]") {
  auto unknown = ask<job_info>(runtime.handle(), host::get{});
  CHECK(unknown.code() == ec::no_such_job);
  CHECK(unknown.error().detail.starts_with("no_such_job"));
  CHECK(ask<job_id>(runtime.handle(), host::submit{}).code() == ec::no_such_graph);
  CHECK(ask<graph_id>(runtime.handle(), host::add_graph{}).code() == ec::invalid_spec);
  CHECK(ask<host::subscription>(runtime.handle(), host::subscribe{}).code() == ec::no_such_job);
  auto job = submit(fan(1).build());
  ended(job);
  CHECK(change(runtime.handle(), job, host::change::step::pause) == ec::illegal_request);
  CHECK(code_of(host::failed("a", "b")) == ec::none);
}

TEST_CASE_METHOD(bench, "a job is paused and resumed by an actor", "[embedding]") {
  auto job = submit(one_actor({{"name", "w"}}).build());
  auto held = take(worker);
  CHECK(change(runtime.handle(), job, host::change::step::pause) == ec::none);
  CHECK(ask<job_info>(runtime.handle(), host::get{job})->state == job_state::paused);
  CHECK(change(runtime.handle(), job, host::change::step::resume) == ec::none);
  held.answer.deliver(value{});
  CHECK(ended(job).state == job_state::completed);
}

TEST_CASE_METHOD(bench, "a subscriber gets what it has credit for, and no more", "[embedding]") {
  auto job = submit(fan(40).build());
  ended(job);
  auto expected = all_events(job);
  REQUIRE(expected.size() > 80);
  std::vector<event> got;
  auto of = subscribe(job, 3);
  for (std::uint32_t credit = 3; got.size() < expected.size(); credit = 1 + credit % 7) {
    for (std::uint32_t left = credit; left > 0 && got.size() < expected.size();) {
      auto m = next<host::events>();
      CHECK(m.of == of);
      REQUIRE(m.list.size() <= left);
      left -= static_cast<std::uint32_t>(m.list.size());
      got.insert(got.end(), m.list.begin(), m.list.end());
    }
    if (got.size() == expected.size())
      break;
    CHECK_FALSE(anything_waits());
    more(of, 1 + credit % 7);
  }
  CHECK(got == expected);
  auto end = next<host::events_end>();
  CHECK(end.of == of);
  CHECK(end.code == ec::none);
}

TEST_CASE_METHOD(bench, "events come as they happen, in order and without a gap", "[embedding]") {
  auto graph = fan(200);
  graph.add("first", "actor", {{"name", "w"}});
  for (int i = 0; i < 200; ++i)
    graph.connect("first", "v" + std::to_string(i));
  auto job = submit(graph.build());
  auto held = take(worker);
  auto of = subscribe(job, 10);
  held.answer.deliver(value{});
  std::uint64_t last = 0;
  for (auto ended = false; !ended;) {
    auto m = next<host::events>();
    for (auto& x : m.list) {
      REQUIRE(x.id == ++last);
      ended = x.type == "end";
    }
    more(of, static_cast<std::uint32_t>(m.list.size()));
  }
  CHECK(next<host::events_end>().code == ec::none);
  CHECK(last == ended(job).events);
}

TEST_CASE_METHOD(bench, "a subscriber that is slow holds up nobody else", "[embedding]") {
  auto job = submit(one_actor({{"name", "w"}}).build());
  auto held = take(worker);
  auto slow = subscribe(job, 0);
  auto quick = subscribe(job, 1000);
  held.answer.deliver(value{});
  std::vector<event> got;
  while (got.empty() || got.back().type != "end") {
    auto m = next<host::events>();
    REQUIRE(m.of == quick);
    got.insert(got.end(), m.list.begin(), m.list.end());
  }
  CHECK(next<host::events_end>().of == quick);
  more(slow, 1000);
  auto m = next<host::events>();
  CHECK(m.of == slow);
  CHECK(m.list == got);
}

TEST_CASE_METHOD(bench, "a subscription may begin anywhere", "[embedding]") {
  auto job = submit(fan(5).build());
  auto last = ended(job).events;
  subscribe(job, 1000, last);
  auto m = next<host::events>();
  REQUIRE(m.list.size() == 1);
  CHECK(m.list.front().id == last);
  CHECK(next<host::events_end>().code == ec::none);
}

TEST_CASE_METHOD(bench, "who wants no more gets no more", "[embedding]") {
  auto job = submit(fan(5).build());
  ended(job);
  auto of = subscribe(job, 1);
  next<host::events>();
  self->send(runtime.handle(), host::unsubscribe{of});
  more(of, 100);
  CHECK_FALSE(anything_waits());
}

TEST_CASE_METHOD(bench, "subscriptions are bounded and end with their subscriber", "[embedding]") {
  auto job = submit(fan(1).build());
  ended(job);
  {
    caf::scoped_actor other{system};
    for (std::size_t i = 0; i < limits::subscriptions_max; ++i)
      other->request(runtime.handle(), patience, host::subscribe{job, 1, 0})
          .receive([](const host::subscription&) {},
                   [](const caf::error&) { FAIL("refused too early"); });
    CHECK(ask<host::subscription>(runtime.handle(), host::subscribe{job}).code() == ec::overloaded);
  }
  auto until = std::chrono::steady_clock::now() + patience;
  auto made = ask<host::subscription>(runtime.handle(), host::subscribe{job});
  while (!made && std::chrono::steady_clock::now() < until) // Its end is on its way.
    made = ask<host::subscription>(runtime.handle(), host::subscribe{job});
  CHECK(made);
}

TEST_CASE_METHOD(bench, "a closed runtime tells its subscribers and who waits", "[embedding]") {
  auto job = submit(one_actor({{"name", "w"}}).build());
  auto held = take(worker);
  auto of = subscribe(job, 1000);
  auto waits = self->request(runtime.handle(), patience, host::wait{job});
  auto closing = std::async(std::launch::async, [&] { runtime.close(); });
  auto code = ec::none;
  waits.receive([](const job_info&) {}, [&](const caf::error& x) { code = code_of(x); });
  CHECK(code == ec::not_ready);
  auto end = next<host::events_end>();
  CHECK(end.of == of);
  CHECK(end.code == ec::not_ready);
  CHECK(told_to_end(worker).token == held.what.token);
  closing.get();
  CHECK(runtime.blocking().get(job).code() == ec::not_ready);
  runtime.close(); // Again: nothing happens.
}

TEST_CASE("an exit message closes the runtime, and then the system may end first", "[embedding]") {
  temp_dir directory;
  job_id job;
  {
    std::optional<caf_runtime> runtime;
    {
      caf_world world;
      caf::scoped_actor worker{world.system};
      auto opened = caf_runtime::open(world.system, {.data_dir = directory.path()}, {},
                                      {{"w", caf::actor{worker}}});
      REQUIRE(opened);
      runtime.emplace(std::move(*opened));
      auto graph = runtime->blocking().add_graph(one_actor({{"name", "w"}}).build());
      job = *runtime->blocking().submit({.graph = *graph});
      caf_world::take(worker); // It is running when the system goes.
      caf::anon_send_exit(runtime->handle(), caf::exit_reason::user_shutdown);
      caf_world::told_to_end(worker); // Its death before that would be a failed attempt.
    }                                 // The system waits here until the runtime is closed.
    CHECK(runtime->blocking().get(job).code() == ec::not_ready);
  }
  caf_world world;
  caf::scoped_actor worker{world.system};
  auto again = caf_runtime::open(world.system, {.data_dir = directory.path()}, {},
                                 {{"w", caf::actor{worker}}});
  REQUIRE(again);
  auto held = caf_world::take(worker);
  CHECK(held.what.job == job);
  CHECK(held.what.number == 1); // Its end in order was no failed attempt.
  held.answer.deliver(value{"done"});
  auto info = again->blocking().wait(job, patience);
  REQUIRE(info);
  CHECK(info->state == job_state::completed);
}

TEST_CASE_METHOD(bench, "a killed handle leaves a runtime that can be closed", "[embedding]") {
  auto job = submit(fan(1).build());
  ended(job);
  self->monitor(runtime.handle());
  caf::anon_send_exit(runtime.handle(), caf::exit_reason::kill);
  next<caf::down_msg>();
  CHECK(runtime.blocking().get(job)); // For threads it goes on.
  runtime.close();
}

TEST_CASE_METHOD(caf_world, "two runtimes live in one system", "[embedding]") {
  auto one = caf_runtime::open(system, {.memory = true});
  auto two = caf_runtime::open(system, {.memory = true});
  REQUIRE(one);
  REQUIRE(two);
  auto graph = ask<graph_id>(one->handle(), host::add_graph{fan(1).build()});
  REQUIRE(graph);
  auto job = ask<job_id>(one->handle(), host::submit{{.graph = *graph}});
  REQUIRE(job);
  CHECK(ask<job_info>(two->handle(), host::get{*job}).code() == ec::no_such_job);
  one->close();
  CHECK(ask<graph_id>(two->handle(), host::add_graph{fan(1).build()}));
}
