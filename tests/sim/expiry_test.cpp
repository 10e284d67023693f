#include "tests/sim/sim_graphs.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/catch.hpp"

using namespace troupe;
using namespace troupe::tests;
using namespace std::chrono_literals;
using core::job_request;

namespace {

constexpr auto patience = core::duration{10min};

/// One job runs until `finish`; another stands behind it and may expire.
struct crowded {
  world w;
  std::vector<job_id> ids;

  crowded(std::uint64_t seed, std::uint16_t shards = 1) : w{seed, shards} {
    w.settings.running_jobs_max = 1;
    w.start();
  }

  void submit() {
    w.submit(impure_chain(), "q");
    w.settle();
    ids.clear();
    for (auto& [id, client] : w.clients)
      ids.push_back(id);
  }
  void submit_both() {
    submit();
    w.expires_after = patience;
    submit();
    REQUIRE(ids.size() == 2);
  }
  storage::job_row row(std::size_t i) {
    auto found = w.context(ids.at(i)).view->find(ids.at(i));
    REQUIRE(found);
    return *found;
  }
  bool is_expired(std::size_t i) {
    auto x = row(i);
    return x.state == job_state::failed && x.error.code == "expired";
  }
  void finish() {
    w.live();
    w.check_history();
  }
};

} // namespace

TEST_CASE("a job that has not begun by its time has failed", "[sim][expiry]") {
  crowded x{41};
  x.submit_both();
  x.w.advance(patience - 1s);
  CHECK(x.row(1).state == job_state::pending);
  x.w.advance(1s);
  CHECK(x.is_expired(1));
  x.w.read_events();
  CHECK(x.w.clients[x.ids[1]].events.back().type == "end");
  x.finish();
  CHECK(x.row(0).state == job_state::completed);
}

TEST_CASE("a job that has begun does not expire", "[sim][expiry]") {
  crowded x{42};
  x.w.expires_after = patience;
  x.submit();
  x.w.advance(2 * patience);
  x.w.crash();
  x.w.start();
  x.w.advance(2 * patience);
  x.finish();
  CHECK(x.row(0).state == job_state::completed);
}

TEST_CASE("a paused job does not expire before it is resumed", "[sim][expiry]") {
  crowded x{43};
  x.submit_both();
  x.w.move(x.ids[1], job_request::pause);
  x.w.advance(2 * patience);
  CHECK(x.row(1).state == job_state::paused);
  x.w.move(x.ids[1], job_request::resume);
  x.w.advance(1s);
  CHECK(x.is_expired(1));
  x.finish();
}

TEST_CASE("a job that expired while its node was down has failed at the start", "[sim][expiry]") {
  for (auto asleep : {patience / 2, 2 * patience}) {
    crowded x{44};
    x.submit_both();
    x.w.move(x.ids[0], job_request::stop); // The other one would have room now.
    x.w.crash();
    x.w.sleep(asleep);
    x.w.start();
    x.w.settle();
    CHECK(x.is_expired(1) == (asleep > patience));
    x.finish();
    if (asleep < patience)
      CHECK(x.row(1).state == job_state::completed);
  }
}

TEST_CASE("a job cancelled in its queue does not expire", "[sim][expiry]") {
  crowded x{45};
  x.submit_both();
  x.w.move(x.ids[1], job_request::cancel);
  x.w.advance(2 * patience);
  CHECK(x.row(1).state == job_state::cancelled);
  x.finish();
}

TEST_CASE("an expiry is recorded once, with a crash at every failpoint", "[sim][expiry][crash]") {
  auto shards = GENERATE(std::uint16_t{1}, std::uint16_t{4});
  auto play = [&](crowded& x) {
    try {
      x.submit_both();
      x.w.advance(patience);
    } catch (const node_died&) {
      x.w.crash();
      x.w.dies_at.reset();
      x.w.sleep(patience);
      x.w.start();
    }
    x.finish();
  };
  crowded calm{46, shards};
  play(calm);
  CHECK(calm.is_expired(1));
  REQUIRE(calm.w.hits > 10);
  for (std::uint64_t at = 1; at <= calm.w.hits; ++at) {
    crowded x{46 + at, shards};
    x.w.dies_at = at;
    CAPTURE(at, shards);
    play(x);
    for (auto& shard : x.w.contexts)
      for (auto& row : rows_of(*shard->view))
        CHECK((row.error.code == "expired") == (row.spec.expires_at != core::shard_time{}));
  }
}

TEST_CASE("timers of a shard do not gather", "[sim][expiry][rest]") {
  crowded x{47};
  x.w.expires_after = 24h;
  x.submit();
  x.submit();
  auto timers = [&] { return x.w.scheduler().clock().schedule().size(); };
  x.w.expires_after = 1min;
  x.submit();
  x.w.advance(2min);
  auto before = timers();
  for (int i = 0; i < 50; ++i) { // Each is due before all others.
    x.submit();
    x.w.advance(2min);
  }
  CHECK(timers() <= before + 2);
  x.finish();
}
