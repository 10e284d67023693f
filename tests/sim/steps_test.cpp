#include "tests/sim/sim_graphs.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

using namespace troupe;
using namespace troupe::tests;
using core::job_request;

namespace {

/// Only actors' turns: nothing that they record becomes durable.
void take_turns(world& w) {
  while (w.scheduler().try_run_once())
    ;
}

/// How often the request was granted.
std::size_t granted(world& w, job_id id, job_request on) {
  return static_cast<std::size_t>(std::ranges::count_if(
      w.clients[id].moves, [&](auto& x) { return x.first == on && x.second; }));
}

/// One job runs, another one stands behind it.
struct two_jobs {
  world w;
  job_id first, second;

  explicit two_jobs(std::uint64_t seed) : w{seed, 1} {
    w.settings.running_jobs_max = 1;
    w.start();
    w.submit(impure_chain(), "q");
    w.settle();
    first = w.clients.begin()->first;
    w.submit(impure_chain(), "q");
    w.settle();
    REQUIRE(w.clients.size() == 2);
    second = w.clients.rbegin()->first;
  }
};

} // namespace

TEST_CASE("of steps that come before the first one is durable, one is granted", "[sim][steps]") {
  two_jobs x{51};
  for (auto on :
       {job_request::pause, job_request::resume, job_request::pause, job_request::resume}) {
    x.w.clients[x.second].moves.clear();
    for (int i = 0; i < 5; ++i)
      x.w.move(x.second, on);
    take_turns(x.w);
    CHECK(x.w.clients[x.second].moves.empty());
    x.w.settle();
    CHECK(x.w.clients[x.second].moves.size() == 5);
    CHECK(granted(x.w, x.second, on) == 1);
  }
  x.w.live(); // Ends: it stands in its queue once, and begins once.
  x.w.check_history();
  CHECK(rows_of(*x.w.context(x.second).view).front().state == job_state::completed);
}

TEST_CASE("whatever steps come at whatever moment, jobs stand in their queue once",
          "[sim][steps]") {
  std::uint64_t seed = GENERATE(take(20, random(1, 1 << 30)));
  CAPTURE(seed);
  two_jobs x{seed};
  constexpr std::array asked{job_request::pause, job_request::resume};
  for (int i = 0; i < 60; ++i) {
    auto choice = x.w.chance();
    if (choice % 3 == 0)
      x.w.step();
    else
      x.w.move(choice % 2 ? x.first : x.second, asked[choice / 8 % asked.size()]);
    take_turns(x.w);
  }
  x.w.settle();
  for (auto id : {x.first, x.second})
    x.w.move(id, job_request::resume);
  x.w.live();
  x.w.check_history();
  x.w.submit(impure_chain(), "q"); // There is room: no job is counted that has ended.
  x.w.live();
  for (auto& row : rows_of(*x.w.context(x.first).view))
    CHECK(row.state == job_state::completed);
}
