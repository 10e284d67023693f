#include "core/place.hpp"
#include "tests/sim/sim_graphs.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/catch.hpp"

#include <caf/send.hpp>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;
namespace msg = troupe::messages;

namespace {

core::bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

/// Sends requests of a library to the queue `q` of a world.
class client {
public:
  explicit client(world& w) : w_(w) {}

  actors::shard_context& home() {
    return *w_.contexts[core::index_of(core::shard_of(core::place({}, "q"), w_.shards))];
  }

  msg::submit_job request(std::string key, std::uint8_t digest = 1) {
    auto id = w_.env->graphs->add({}, chain(1));
    REQUIRE(id);
    msg::submit_job m;
    m.spec.queue = "q";
    m.spec.graph = *id;
    m.spec.idempotency_key = std::move(key);
    m.spec.request_digest = {digest};
    m.plan = *w_.env->graphs->find({}, *id);
    return m;
  }

  /// What was answered, if anything was.
  template <class T>
  using answer = std::shared_ptr<std::optional<result<T>>>;

  answer<submitted> submit(std::string key, std::uint8_t digest = 1) {
    auto told = std::make_shared<std::optional<result<submitted>>>();
    auto m = request(std::move(key), digest);
    m.accepted = [told](const result<submitted>& x) { *told = x; };
    caf::anon_send(home().shard.get(), std::move(m));
    return told;
  }

  answer<std::vector<submitted>> write(msg::write_rows m) {
    auto told = std::make_shared<std::optional<result<std::vector<submitted>>>>();
    m.queue = "q";
    m.done = [told](const result<std::vector<submitted>>& x) { *told = x; };
    caf::anon_send(home().shard.get(), std::move(m));
    return told;
  }

  answer<std::size_t> remove(std::vector<job_id> ids, bool strict = true) {
    auto told = std::make_shared<std::optional<result<std::size_t>>>();
    msg::delete_jobs m{std::move(ids), "test", strict, {}};
    m.done = [told](const result<std::size_t>& x) { *told = x; };
    caf::anon_send(home().shard.get(), std::move(m));
    return told;
  }

  std::optional<core::bytes> row(const std::string& key) {
    auto found = home().view->row({{{}, "q"}, key});
    REQUIRE(found);
    return *found;
  }

private:
  world& w_;
};

void run_actors(world& w) {
  while (w.scheduler().try_run_once())
    ;
}

} // namespace

TEST_CASE("the same request gives the same job, and none before it is durable", "[sim][keys]") {
  world w{41, 2};
  w.start();
  client c{w};
  auto first = c.submit("k"), again = c.submit("k"), other = c.submit("k", 2),
       unrelated = c.submit("l");
  run_actors(w);
  CHECK_FALSE(*first);
  CHECK_FALSE(*again);
  CHECK_FALSE(*other); // A refusal reflects the first one, too.
  w.settle();
  REQUIRE((*first && **first));
  CHECK((**again).code() == ec::none);
  CHECK(***again == submitted{(**first)->id, true});
  CHECK((**other).code() == ec::idempotency_conflict);
  CHECK((**unrelated)->id != (**first)->id);
  w.advance(1h);
  w.crash();
  w.start();
  auto later = c.submit("k"), wrong = c.submit("k", 2);
  w.settle();
  CHECK(***later == submitted{(**first)->id, true});
  CHECK((**wrong).code() == ec::idempotency_conflict);
}

TEST_CASE("a key is free again some time after its job has ended", "[sim][keys]") {
  world w{42, 1};
  w.start();
  client c{w};
  auto first = c.submit("k");
  w.settle();
  w.advance(limits::idempotency_keep + 48h);
  auto again = c.submit("k", 2);
  w.settle();
  REQUIRE((*again && **again));
  CHECK((**again)->id != (**first)->id);
  CHECK_FALSE((**again)->replayed);
}

TEST_CASE("a transaction sees what those before it wrote, durable or not", "[sim][rows]") {
  world w{43, 1};
  w.start();
  client c{w};
  auto one = c.write({{}, {}, {{"n", {}}}, {{"n", bytes_of("1")}}, {}, {}});
  auto two = c.write({{}, {}, {{"n", bytes_of("1")}}, {{"n", bytes_of("2")}}, {}, {}});
  auto stale = c.write({{}, {}, {{"n", bytes_of("1")}}, {{"n", bytes_of("9")}}, {}, {}});
  auto gone = c.write({{}, {}, {{"n", {}}}, {{"x", bytes_of("9")}}, {}, {}});
  run_actors(w);
  CHECK_FALSE(*stale);
  w.settle();
  CHECK((*one && **one && *two && **two));
  CHECK((**stale).code() == ec::condition_failed);
  CHECK((**stale).error().detail.find("\"n\"") != std::string::npos);
  CHECK((**gone).code() == ec::condition_failed);
  CHECK(c.row("n") == bytes_of("2"));
  CHECK_FALSE(c.row("x"));
  auto erased = c.write({{}, {}, {{"n", bytes_of("2")}}, {{"n", {}}}, {}, {}});
  w.settle();
  CHECK((*erased && **erased));
  CHECK_FALSE(c.row("n"));
}

TEST_CASE("rows and jobs of a transaction are there together or not at all", "[sim][rows]") {
  for (std::uint64_t at = 1; at <= 40; ++at) {
    world w{100 + at, static_cast<std::uint16_t>(at % 2 ? 1 : 4)};
    CAPTURE(at);
    w.start();
    client c{w};
    w.dies_at = w.hits + at;
    msg::write_rows m;
    m.rows = {{"order", bytes_of("paid")}, {"count", bytes_of("1")}};
    m.jobs = {c.request("a"), c.request("b")};
    auto told = c.write(m);
    try {
      w.settle();
      w.dies_at.reset();
    } catch (const node_died&) {
      w.crash();
      w.dies_at.reset();
      w.start();
    }
    auto jobs = rows_of(*c.home().view).size();
    CHECK(c.row("order").has_value() == (jobs == 2));
    CHECK(c.row("count").has_value() == (jobs == 2));
    CHECK((jobs == 0 || jobs == 2));
    if (*told && **told)
      CHECK(jobs == 2);
    w.run();
    w.check_history();
  }
}

TEST_CASE("ended jobs are deleted when their time is over, and others stay", "[sim][retention]") {
  world w{44, 1};
  w.settings.retention = [](auto, auto&, job_state state) {
    return storage::retention_rule{
        state == job_state::completed ? core::duration{24h} : core::duration{0}, 0};
  };
  w.start();
  client c{w};
  auto done = c.submit("k");
  w.submit(fatal(), "q");
  w.run();
  auto id = (**done)->id;
  auto kept = w.clients.begin()->first;
  w.advance(23h);
  CHECK(c.home().view->find(id));
  w.advance(2h);
  w.advance(2min);
  CHECK(c.home().view->find(id).code() == ec::no_such_job);
  CHECK(c.home().view->find(kept));
}

TEST_CASE("only jobs that have ended can be removed, and then they are gone", "[sim][retention]") {
  world w{45, 1};
  w.start();
  client c{w};
  w.submit(impure_chain(), "q");
  w.settle();
  auto id = w.clients.begin()->first;
  auto early = c.remove({id});
  w.settle();
  CHECK((**early).code() == ec::illegal_request);
  w.run();
  auto removed = c.remove({id}), twice = c.remove({id});
  w.settle();
  CHECK(***removed == 1);
  REQUIRE(*twice);
  CHECK((**twice).code() == ec::no_such_job);
  CHECK(c.home().view->find(id).code() == ec::no_such_job);
  w.move(id, core::job_request::cancel);
  w.settle();
  CHECK(w.clients[id].moves.back().second.code() == ec::no_such_job);
}

TEST_CASE("a full disk or a store far behind refuses new jobs only", "[sim][admission]") {
  world w{46, 1};
  w.start();
  client c{w};
  auto before = c.submit("a");
  w.settle();
  core::pressure now{0, 100, 200, false};
  w.env->pressure = [&] { return now; };
  auto refused = c.submit("b"), repeated = c.submit("a");
  w.settle();
  CHECK((**refused).code() == ec::no_space);
  CHECK(***repeated == submitted{(**before)->id, true});
  now = {200, 100, 200, true};
  auto far = c.submit("b");
  w.settle();
  CHECK((**far).code() == ec::overloaded);
  now.lag_bytes = 150;
  auto slow = c.submit("b");
  w.settle();
  CHECK_FALSE(*slow);
  w.advance(limits::admission_delay_max);
  REQUIRE(*slow);
  CHECK(**slow);
}

TEST_CASE("a deletion that is on its way is told when it is durable", "[sim][retention]") {
  world w{47, 1};
  w.start();
  client c{w};
  auto done = c.submit("k");
  w.run();
  auto id = (**done)->id;
  auto first = c.remove({id}, false), second = c.remove({id}, false);
  run_actors(w);
  CHECK_FALSE(*first);
  CHECK_FALSE(*second); // "None are left" reflects the first one.
  w.settle();
  CHECK(***first == 1);
  CHECK(***second == 0);
}

TEST_CASE("transactions are slowed, and those with jobs need space", "[sim][admission]") {
  world w{48, 1};
  w.start();
  client c{w};
  core::pressure now{0, 100, 200, false, 5, 10};
  w.env->pressure = [&] { return now; };
  msg::write_rows rows;
  rows.rows = {{"a", bytes_of("1")}};
  auto jobs = rows;
  jobs.jobs = {c.request("k")};
  auto refused = c.write(jobs), taken = c.write(rows);
  w.settle();
  REQUIRE((**refused).code() == ec::no_space);
  CHECK((**refused).error().detail.find("5 bytes are free, new jobs need 10") != std::string::npos);
  CHECK((*taken && **taken));
  now = {150, 100, 200, true};
  rows.rows = {{"a", bytes_of("2")}};
  auto slow = c.write(rows);
  w.settle();
  CHECK_FALSE(*slow);
  CHECK(c.row("a") == bytes_of("1"));
  w.advance(limits::admission_delay_max);
  CHECK((*slow && **slow));
  CHECK(c.row("a") == bytes_of("2"));
}

TEST_CASE("requests for jobs that are still being recovered are bounded", "[sim][recovery]") {
  world w{49, 1};
  w.settings.running_jobs_max = 1;
  w.start();
  client c{w};
  for (std::size_t i = 0; i < limits::recovery_step_jobs + 2; ++i)
    w.submit(impure_chain(), "q");
  w.settle();
  auto last = w.clients.rbegin()->first; // It is reached last.
  w.crash();
  std::size_t overloaded = 0, others = 0;
  auto ask = [&](const status& x) { ++(x.code() == ec::overloaded ? overloaded : others); };
  auto ask_all = [&] {
    for (std::size_t i = 0; i < limits::early_requests_max + 3; ++i)
      caf::anon_send(c.home().shard.get(), msg::move_job{last, core::job_request::pause, "", ask});
  };
  w.started = [&] { // The shard's actor asks for chance before it recovers.
    w.env->make_random = [&, made = w.env->make_random, asked = false]() mutable {
      if (c.home().shard.get() && !std::exchange(asked, true))
        ask_all();
      return made();
    };
  };
  w.start();
  CHECK(overloaded == 3);
  CHECK(others == limits::early_requests_max);
}
