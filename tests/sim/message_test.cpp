#include "messages/work.hpp"
#include "tests/sim/sim_graphs.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/catch.hpp"

#include <caf/send.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;
using core::job_request;
namespace msg = troupe::messages;

namespace {

using texts = std::vector<std::string>;

graph_spec nap(const char* length) {
  graph_spec g;
  add(g, "nap", "delay").config = value::object{{"for", length}};
  return g;
}

graph_spec by_worker() {
  graph_spec g;
  add(g, "a", "worker").config = value::object{{"task", "t"}};
  return g;
}

job_id only_job(world& w) {
  REQUIRE(w.clients.size() == 1);
  return w.clients.begin()->first;
}

/// What a crash right now would leave of what the job was told.
texts durable_messages(world& w, job_id id) {
  auto shard = core::shard_of(slot_of(id), w.shards);
  storage::view view{shard};
  for (auto& batch : w.journal->durable(shard))
    view.add(batch);
  auto job = view.load(id, w.graphs());
  REQUIRE(job);
  return job->messages;
}

/// Tells jobs something, and notes what was answered.
struct teller {
  world& w;
  std::map<std::string, status> answered{};
  texts all{};

  void tell(job_id id, const std::string& text) {
    all.push_back(text);
    caf::anon_send(w.context(id).shard.get(), msg::add_message{id, text, [this, text](auto& x) {
                                                                 answered.emplace(text, x);
                                                               }});
  }
};

/// A worker with one lease.
struct one_lease {
  world& w;
  std::optional<msg::leased_work> got{};
  std::uint64_t fetches = 0;

  void fetch() {
    work_request what;
    what.queues = {"q"};
    what.lease = 24h;
    caf::anon_send(w.env->work_board, msg::fetch_work{++fetches, what, [this](auto& x) {
                                                        if (x && !x->empty())
                                                          got = x->front();
                                                      }});
  }
  /// Asks what the job was told; `see` is called if the lease is known.
  void ask(std::function<void(const texts&)> see) {
    caf::anon_send(w.env->work_board,
                   msg::extend_lease{{}, got->proof, [see](auto& x) {
                                       if (x)
                                         see(x->messages ? *x->messages : texts{});
                                     }});
  }
  texts told() {
    std::optional<texts> seen;
    ask([&](auto& x) { seen = x; });
    w.settle();
    REQUIRE(seen);
    return *seen;
  }
};

void run_actors(world& w) {
  while (w.scheduler().try_run_once())
    ;
}

bool is_prefix(const texts& some, const texts& all) {
  return some.size() <= all.size() && std::equal(some.begin(), some.end(), all.begin());
}

} // namespace

TEST_CASE("nobody sees a message before it is durable", "[sim][message]") {
  world w{51, 1};
  w.start();
  w.submit(by_worker(), "q");
  w.settle();
  auto id = only_job(w);
  one_lease worker{w};
  worker.fetch();
  w.settle();
  REQUIRE(worker.got);
  teller client{w};
  client.tell(id, "a");
  std::optional<result<job_info>> info;
  caf::anon_send(w.context(id).shard.get(), msg::get_job{id, [&](auto& x) { info = x; }});
  std::optional<texts> seen;
  worker.ask([&](auto& x) { seen = x; });
  run_actors(w); // Nothing is written meanwhile.
  REQUIRE(w.journal->has_waiting());
  CHECK(client.answered.empty());
  CHECK_FALSE(info);
  REQUIRE(seen);
  CHECK(seen->empty());

  w.settle();
  REQUIRE(client.answered.contains("a"));
  CHECK(client.answered["a"]);
  REQUIRE(info);
  CHECK((*info)->messages == texts{"a"});
  CHECK(worker.told() == texts{"a"});
}

TEST_CASE("who is answered knows that the worker's next heartbeat has the message",
          "[sim][message]") {
  for (std::uint64_t seed = 60; seed < 100; ++seed) {
    world w{seed, 1};
    CAPTURE(seed);
    w.start();
    w.submit(by_worker(), "q");
    w.settle();
    auto id = only_job(w);
    teller client{w};
    one_lease worker{w};
    worker.fetch();
    for (auto steps = w.chance() % 30; steps > 0 && w.step(); --steps)
      ;
    client.tell(id, "a");
    while (client.answered.empty() && w.step())
      ;
    REQUIRE(client.answered["a"]);
    for (int i = 0; !worker.got && i < 1000; ++i)
      w.step();
    REQUIRE(worker.got);
    std::optional<texts> seen;
    worker.ask([&](auto& x) { seen = x; });
    while (!seen && w.step())
      ;
    CHECK(seen == texts{"a"});
  }
}

TEST_CASE("a pending job is told without an actor, and the worker gets it with the work",
          "[sim][message]") {
  world w{52, 1};
  w.settings.running_jobs_max = 1;
  w.start();
  w.submit(nap("900ms"), "q");
  w.settle();
  w.submit(by_worker(), "q");
  w.settle();
  auto id = w.clients.rbegin()->first;
  auto before = w.running_actors();
  teller client{w};
  client.tell(id, "a");
  client.tell(id, "b");
  w.settle();
  client.tell(id, "c"); // From the view, no longer fresh.
  w.settle();
  CHECK(client.answered.size() == 3);
  CHECK(w.running_actors() == before);
  CHECK(w.context(id).view->find(id)->state == job_state::pending);
  w.advance(900ms);
  one_lease worker{w};
  worker.fetch();
  w.settle();
  REQUIRE(worker.got);
  REQUIRE(worker.got->told);
  CHECK(*worker.got->told == texts{"a", "b", "c"});
  CHECK(worker.told() == texts{"a", "b", "c"});
}

TEST_CASE("a job at rest is told, rests on, and wakes in time", "[sim][message]") {
  auto paused = GENERATE(false, true);
  CAPTURE(paused);
  world w{53, 1};
  w.start();
  auto before = w.running_actors();
  w.submit(nap("1h"), "q");
  w.settle();
  auto id = only_job(w);
  if (paused)
    w.move(id, job_request::pause);
  w.advance(30min);
  REQUIRE(w.running_actors() == before);
  teller client{w};
  client.tell(id, "a");
  w.settle();
  CHECK(client.answered["a"]);
  CHECK(w.running_actors() == before);
  CHECK(durable_messages(w, id) == texts{"a"});
  CHECK((w.context(id).view->find(id)->wake_at != core::shard_time{}) == !paused);
  w.crash();
  w.start();
  CHECK(w.running_actors() == before);
  if (paused)
    w.move(id, job_request::resume);
  w.settle();
  w.advance(paused ? 1h : 30min); // A pause freezes what is left.
  CHECK(w.context(id).view->find(id)->state == job_state::completed);
  w.check_history();
  client.tell(id, "b");
  w.settle();
  CHECK(client.answered["b"].code() == ec::illegal_request);
}

TEST_CASE("a message survives a kill, is told once as an event, and workers get all in order",
          "[sim][message]") {
  auto first = GENERATE(take(1, random(1, 1 << 30)));
  for (int i = 0; i < 60; ++i) {
    world w{static_cast<std::uint64_t>(first + i), static_cast<std::uint16_t>(i % 2 ? 4 : 1)};
    CAPTURE(w.seed);
    w.start();
    w.submit(i % 3 == 0 ? nap("10s") : by_worker(), "q");
    w.settle();
    auto id = only_job(w);
    teller client{w};
    one_lease worker{w};
    for (int round = 0; round < 4; ++round) {
      auto before = client.all.size();
      if (w.chance() % 2 == 0)
        w.dies_at = w.hits + 1 + w.chance() % 40;
      try {
        for (int j = 0; j < 3; ++j) {
          client.tell(id, std::to_string(round) + "." + std::to_string(j));
          worker.got ? worker.ask([&](auto& x) { CHECK(is_prefix(x, durable_messages(w, id))); })
                     : worker.fetch();
          if (w.chance() % 4 == 0)
            w.move(id, w.chance() % 2 == 0 ? job_request::pause : job_request::resume);
          for (auto steps = w.chance() % 20; steps > 0 && w.step(); --steps)
            w.read_events();
        }
        w.settle();
        for (; before < client.all.size(); ++before)
          CHECK(client.answered.contains(client.all[before]));
      } catch (const node_died&) {
        w.crash();
        w.check_history();
        w.dies_at.reset();
        w.start();
      }
      w.dies_at.reset();
    }
    w.settle();
    w.read_events();
    auto kept = durable_messages(w, id);
    for (auto& text : client.all) {
      auto found = client.answered.find(text);
      auto count = std::ranges::count(kept, text);
      CHECK(count <= 1);
      if (found != client.answered.end() && found->second)
        CHECK(count == 1);
    }
    if (worker.got) {
      std::optional<texts> seen;
      worker.ask([&](auto& x) { seen = x; });
      w.settle();
      if (seen)
        CHECK(seen == kept);
    }
    texts told;
    auto& client_events = w.clients[id].events;
    for (auto& x : client_events)
      if (x.type == "add_message")
        told.push_back(*x.data.find("text")->string());
    CHECK(std::set(told.begin(), told.end()).size() == told.size());
    w.check_history();
  }
}
