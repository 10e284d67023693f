#include "actors/job_list.hpp"
#include "messages/work.hpp"
#include "tests/sim/sim_graphs.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/catch.hpp"

#include <caf/send.hpp>
#include <iostream>

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;
namespace msg = troupe::messages;

namespace {

constexpr auto lease = 30s;

/// Two vertices for workers, then one of the node.
graph_spec by_workers() {
  graph_spec g;
  add(g, "a", "worker").config = value::object{{"task", "t"}};
  add(g, "b", "worker").config = value::object{{"task", "t"}};
  work(g, "c");
  link(g, "a", "c");
  link(g, "b", "c");
  return g;
}

/// A worker that outlives crashes of the node: it fetches, works, and reports what it has until it
/// is answered, sometimes twice; sometimes it falls silent.
class sim_worker {
public:
  explicit sim_worker(world& w) : world_(w) {}

  void fetch() {
    work_request what;
    what.queues = {"q"};
    what.lease = lease;
    what.count = 2;
    caf::anon_send(
        world_.env->work_board,
        msg::fetch_work{++fetches_, what, [this](const result<std::vector<msg::leased_work>>& x) {
                          if (!x)
                            return;
                          for (auto& work : *x)
                            take(work);
                        }});
  }

  /// It waits no longer for what it has asked last.
  void leave() { caf::anon_send(world_.env->work_board, msg::drop_fetch{fetches_}); }

  /// How many of all its leases the board still watches.
  std::size_t watched() {
    std::size_t count = 0;
    for (auto& proof : seen_)
      caf::anon_send(world_.env->work_board,
                     msg::extend_lease{{}, proof, [&count](auto& x) { count += bool(x); }});
    world_.settle();
    return count;
  }

  /// Reports one of those that it has, which it may go on to have.
  void report() {
    if (has_.empty())
      return;
    auto at = has_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(world_.chance() % has_.size()));
    auto work = at->second;
    auto done = [this, proof = work.proof](const status& x) {
      if (x || x.code() == ec::stale_token) {
        has_.erase(proof);
        ++(x ? counted : refused);
      }
    };
    core::attempt_result r{
        work.vertex, core::attempt_end::succeeded, core::payload{work.item.vertex}, {}};
    caf::anon_send(world_.context(work.item.job).shard.get(),
                   msg::finish_work{work.item.job, {}, work.proof, std::move(r), done});
  }

  bool has_any() const { return !has_.empty(); }

  void forget_one() {
    if (has_.empty())
      return;
    has_.erase(has_.begin());
    ++forgotten; // What it has said of it may have been recorded, with the answer lost by a crash.
  }

  std::size_t counted = 0, refused = 0, forgotten = 0;

private:
  void take(const msg::leased_work& work) {
    CHECK(seen_.insert(work.proof).second); // A token is given once.
    has_.emplace(work.proof, work);
  }

  world& world_;
  std::uint64_t fetches_ = 0;
  std::map<core::token, msg::leased_work> has_;
  std::set<core::token> seen_;
};

/// Steps the node; the worker acts now and then, time goes by when nothing else is left.
void live(world& w, sim_worker& worker, std::uint64_t die_after) {
  constexpr int steps_max = 200'000;
  std::uint64_t steps = 0;
  for (int i = 0; i < steps_max; ++i)
    try {
      if (die_after > 0 && ++steps == die_after)
        throw node_died{};
      auto chance = w.chance();
      if (chance % 16 == 0)
        worker.fetch();
      else if (chance % 16 == 1)
        worker.report();
      else if (chance % 512 == 2)
        worker.forget_one();
      else if (chance % 16 == 3)
        worker.leave();
      if (w.step())
        continue;
      w.read_events();
      if (!w.clients.empty() && w.all_ended())
        return;
      worker.report();
      if (chance % 4 == 3)
        w.advance(5s);
    } catch (const node_died&) {
      w.read_events();
      w.crash();
      w.check_history();
      w.start();
    }
  FAIL("the jobs do not end");
}

} // namespace

TEST_CASE("workers' results are recorded once through crashes and silence", "[sim][work]") {
  auto shards = GENERATE(as<std::uint16_t>{}, 1, 4);
  auto round = GENERATE(range(0, 40));
  auto seed = static_cast<std::uint64_t>(round) * 7919 + shards;
  CAPTURE(seed, shards);
  world w{seed, shards};
  w.start();
  sim_worker worker{w};
  for (int i = 0; i < 3; ++i)
    w.submit(by_workers(), "q");
  live(w, worker, round == 0 ? 0 : 20 + w.chance() % 400);
  for (int i = 0; i < 100 && worker.has_any(); ++i) {
    worker.report(); // An answer may have been lost by a crash.
    w.settle();
  }
  CHECK(worker.counted + worker.forgotten >= 6);
  w.check_history();
  w.settle();
  for (auto& shard : w.contexts)
    for (auto& row : rows_of(*shard->view))
      CHECK(row.state == job_state::completed);
}

TEST_CASE("no lease outlives its attempt, whenever its job ends", "[sim][work]") {
  auto seed = static_cast<std::uint64_t>(GENERATE(range(1, 200)));
  CAPTURE(seed);
  world w{seed, 1};
  w.settings.cancel_grace = 5s;
  w.start();
  sim_worker worker{w};
  for (int i = 0; i < 3; ++i)
    w.submit(by_workers(), "q");
  w.settle();
  worker.fetch();
  worker.fetch();
  for (auto left = w.chance() % 30; left > 0; --left)
    w.step();
  for (auto& [id, client] : w.clients)
    w.move(id, w.chance() % 2 == 0 ? core::job_request::stop : core::job_request::cancel);
  w.settle();
  w.advance(10s);
  w.settle();
  CHECK(w.all_ended());
  CHECK(worker.watched() == 0);
}

TEST_CASE("a lease that nobody extends ends, one that is extended does not", "[sim][work]") {
  world w{5, 1};
  w.start();
  w.submit(by_workers(), "q");
  w.settle();
  std::vector<msg::leased_work> got;
  work_request what;
  what.queues = {"q"};
  what.lease = lease;
  what.count = 2;
  std::uint64_t fetches = 0;
  auto fetch = [&] {
    got.clear();
    caf::anon_send(
        w.env->work_board,
        msg::fetch_work{++fetches, what, [&](const result<std::vector<msg::leased_work>>& x) {
                          REQUIRE(x);
                          got = *x;
                        }});
    w.settle();
  };
  auto extend = [&](const core::token& proof) {
    std::optional<result<msg::lease_answer>> told;
    caf::anon_send(w.env->work_board, msg::extend_lease{{}, proof, [&](auto& x) { told = x; }});
    w.settle();
    REQUIRE(told);
    return *told;
  };
  fetch();
  REQUIRE(got.size() == 2);
  auto kept = got[0].proof, left = got[1].proof;
  auto left_vertex = got[1].item.vertex;
  w.advance(20s);
  CHECK(extend(kept));
  w.advance(20s);
  CHECK(extend(kept));
  CHECK_FALSE(extend(left));
  fetch();
  REQUIRE(got.size() == 1);
  CHECK(got[0].item.vertex == left_vertex);
  CHECK(got[0].proof != left);
  fetch();
  CHECK(got.empty());
}
