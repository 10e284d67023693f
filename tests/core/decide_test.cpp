#include "core/decide_reuse.hpp"
#include "tests/core/scene.hpp"
#include "troupe/limits.hpp"

#include <set>

using namespace troupe;
using namespace troupe::core;
using namespace std::chrono_literals;
using tests::add;
using tests::compiled;
using tests::scene;

namespace {

retry_spec retry_of(std::uint32_t attempts) {
  retry_spec retry;
  retry.max_attempts = attempts;
  retry.base = 100ms;
  retry.factor = 3;
  retry.cap = 1000ms;
  return retry;
}

/// One vertex that is repeated up to `attempts` times.
std::shared_ptr<const graph> repeated(std::uint32_t attempts) {
  graph_spec g{};
  add(g, "a").retry = retry_of(attempts);
  return compiled(g);
}

std::shared_ptr<const graph> timer(const char* length) {
  graph_spec g{};
  add(g, "wait", "delay").config = value::object{{"for", length}};
  return compiled(g);
}

std::size_t ends_in(const scene& s) {
  return static_cast<std::size_t>(
      std::ranges::count_if(s.told, [](auto& e) { return e.type == "end"; }));
}

} // namespace

TEST_CASE("a job without vertices to run completes when it begins", "[core][decide]") {
  scene s{compiled({})};
  REQUIRE(s.move(job_request::start));
  CHECK(s.live.state == job_state::completed);
  CHECK(ends_in(s) == 1);
}

TEST_CASE("cancelling a job that does not run ends it in the same group", "[core][decide]") {
  auto [on, to] = GENERATE(std::pair{job_request::cancel, job_state::cancelled},
                           std::pair{job_request::stop, job_state::stopped});
  scene s{compiled(tests::chain(1))};
  REQUIRE(s.move(on, "by hand"));
  CHECK(s.live.state == to);
  CHECK(s.journal.size() == 3); // `job_added` and both steps.
}

TEST_CASE("a job that is cancelled waits for what runs, and nothing else starts",
          "[core][decide]") {
  // A result that is there is kept, a failure was asked for.
  auto [late, becomes] = GENERATE(std::pair{attempt_end::succeeded, vertex_state::succeeded},
                                  std::pair{attempt_end::failed, vertex_state::cancelled},
                                  std::pair{attempt_end::cancelled, vertex_state::cancelled});
  graph_spec g{};
  add(g, "a"), add(g, "b");
  scene s{compiled(g)};
  REQUIRE(s.move(job_request::start));
  REQUIRE(s.start(0));
  REQUIRE(s.move(job_request::cancel));
  CHECK(s.live.state == job_state::cancelling);
  CHECK_FALSE(s.start(1));
  CHECK(s.end(0, late));
  CHECK(s.live.state == job_state::cancelled);
  CHECK(s.state(0) == becomes);
  CHECK(s.state(1) == vertex_state::cancelled);
}

TEST_CASE("a refusal names both the state and the request", "[core][decide]") {
  scene s{compiled(tests::chain(1))};
  REQUIRE(s.move(job_request::cancel));
  auto refused = decide_move(s.live, job_request::pause, "", s.now);
  REQUIRE(refused.code() == ec::illegal_request);
  CHECK(refused.error().detail.find("cancelled") != std::string::npos);
  CHECK(refused.error().detail.find("pause") != std::string::npos);
}

TEST_CASE("a reason that a record is not to hold is refused", "[core][decide]") {
  scene s{compiled(tests::chain(1))};
  auto refused = [&](std::string reason) {
    return decide_move(s.live, job_request::pause, std::move(reason), s.now).code();
  };
  CHECK(refused(std::string(limits::reason_bytes_max + 1, 'x')) == ec::too_large);
  CHECK(refused("\xff") == ec::invalid_spec);
  CHECK(refused(std::string(limits::reason_bytes_max, 'x')) == ec::none);
}

TEST_CASE("a job that expires has failed with a reason", "[core][decide]") {
  scene s{compiled(tests::chain(1))};
  REQUIRE(s.move(job_request::expire, "it waited for 1h"));
  CHECK(s.live.state == job_state::failed);
  CHECK(s.live.error == problem{"expired", "", "it waited for 1h"});
}

TEST_CASE("a vertex whose failure fails the job lets siblings end, then the job has failed",
          "[core][decide]") {
  graph_spec g{};
  add(g, "a"), add(g, "b"), add(g, "c");
  tests::link(g, "a", "c");
  scene s{compiled(g)};
  REQUIRE(s.move(job_request::start));
  REQUIRE(s.start(0));
  REQUIRE(s.start(1));
  REQUIRE(s.end(0, attempt_end::failed));
  CHECK(s.live.state == job_state::running);
  CHECK(s.live.run->failing);
  REQUIRE(s.end(1, attempt_end::failed)); // It was asked to end.
  CHECK(s.state(1) == vertex_state::cancelled);
  CHECK(s.state(2) == vertex_state::cancelled);
  CHECK(s.live.state == job_state::failed);
  CHECK(s.live.error.code == "broken");
  CHECK(s.live.error.detail.find("\"a\"") != std::string::npos);
}

TEST_CASE("a token that is not the current one is refused and changes nothing", "[core][decide]") {
  scene s{repeated(3)};
  REQUIRE(s.move(job_request::start));
  REQUIRE(s.start(0));
  auto old = s.proof(0);
  REQUIRE(s.lose(0));
  REQUIRE(s.start(0));
  auto before = s.live;
  auto late = decide_attempt_ended(s.live, old, scene::result_for(0, attempt_end::succeeded, 1),
                                   s.now, s.random);
  CHECK(late.code() == ec::stale_token);
  CHECK(decide_said(s.live, 0, old, "x", s.now).code() == ec::stale_token);
  CHECK(decide_said(s.live, 0, {}, "x", s.now).code() == ec::stale_token);
  CHECK(s.live == before);
  auto proof = s.proof(0);
  REQUIRE(s.end(0, attempt_end::succeeded));
  auto repeat = decide_attempt_ended(s.live, proof, scene::result_for(0, attempt_end::succeeded, 1),
                                     s.now, s.random);
  CHECK(repeat.code() == ec::stale_token);
}

TEST_CASE("a record of another token is ignored, without an event", "[core][decide]") {
  scene s{repeated(3)};
  REQUIRE(s.move(job_request::start));
  REQUIRE(s.start(0));
  auto before = s.live;
  changes seen;
  apply(s.live, record_for(s.live, s.now, attempt_ended{token{1, 2}, {}}), seen);
  CHECK(s.live == before);
  CHECK(seen.ignored.size() == 1);
}

TEST_CASE("a redelivery repeats the number of its attempt, a retry counts on", "[core][decide]") {
  scene s{repeated(3)};
  REQUIRE(s.move(job_request::start));
  REQUIRE(s.start(0));
  CHECK(s.detail(0).attempts == 1);
  REQUIRE(s.lose(0));
  CHECK(s.ready == std::vector<vertex_index>{0});
  REQUIRE(s.start(0));
  CHECK(s.detail(0).attempts == 1);
  REQUIRE(s.end(0, attempt_end::failed));
  CHECK(s.state(0) == vertex_state::backoff);
  REQUIRE(s.start(0));
  CHECK(s.detail(0).attempts == 2);
  REQUIRE(s.lose(0));
  REQUIRE(s.start(0));
  REQUIRE(s.end(0, attempt_end::timed_out));
  REQUIRE(s.start(0));
  CHECK(s.detail(0).attempts == 3);
  REQUIRE(s.end(0, attempt_end::failed));
  CHECK(s.state(0) == vertex_state::failed); // Three attempts, however often they were lost.
}

TEST_CASE("a vertex fails when its node ended once more than the limit", "[core][decide]") {
  scene s{repeated(3)};
  REQUIRE(s.move(job_request::start));
  for (std::uint32_t i = 0; i < limits::redeliveries_max; ++i) {
    REQUIRE(s.start(0));
    REQUIRE(s.lose(0));
    REQUIRE(s.start(0));
    REQUIRE(s.lose(0, false)); // A node that ended in order does not count.
  }
  CHECK(s.detail(0).redeliveries == limits::redeliveries_max);
  REQUIRE(s.start(0));
  REQUIRE(s.lose(0));
  CHECK(s.state(0) == vertex_state::failed);
  CHECK(s.live.error.code == "redelivery_limit");
}

TEST_CASE("only what the retry names is repeated", "[core][decide]") {
  auto outcome = GENERATE(attempt_end::failed, attempt_end::timed_out);
  auto named = GENERATE(true, false);
  graph_spec g{};
  auto& retry = add(g, "a").retry;
  retry.max_attempts = 2;
  (outcome == attempt_end::failed ? retry.on_error : retry.on_timeout) = named;
  scene s{compiled(g)};
  REQUIRE(s.move(job_request::start));
  SECTION("impure") {
    REQUIRE(s.start(0));
    REQUIRE(s.end(0, outcome));
  }
  SECTION("pure") { s.end_pure(0, outcome); }
  CHECK(s.state(0) == (named ? vertex_state::backoff : vertex_state::failed));
}

TEST_CASE("a back-off lies between 1 ms and its bound", "[core][decide][random]") {
  auto seed = GENERATE(take(10, random(0, 1 << 30)));
  CAPTURE(seed);
  random_bits random = std::mt19937_64(static_cast<std::uint64_t>(seed));
  auto retry = retry_of(10);
  for (std::uint32_t failed = 1; failed <= 40; ++failed) {
    auto bound = std::min(100.0 * std::pow(3.0, failed - 1), 1000.0);
    for (int i = 0; i < 100; ++i) {
      auto delay = backoff(retry, failed, random);
      REQUIRE(delay >= 1ms);
      REQUIRE(static_cast<double>(delay.count()) <= bound);
    }
    retry.jitter = false;
    CHECK(static_cast<double>(backoff(retry, failed, random).count()) == bound);
    retry.jitter = true;
  }
}

TEST_CASE("full jitter uses all of its range", "[core][decide]") {
  random_bits random = std::mt19937_64{1};
  auto retry = retry_of(10);
  std::set<duration> seen;
  for (int i = 0; i < 2000; ++i)
    seen.insert(backoff(retry, 1, random));
  CHECK(seen.size() == 100); // 0…100 ms, where 0 becomes 1.
}

TEST_CASE("a runner that says cancelled without being asked has failed", "[core][decide]") {
  graph_spec g = tests::chain(2);
  g.vertices[0].on_error = on_error_policy::continue_on;
  scene s{compiled(g)};
  REQUIRE(s.move(job_request::start));
  REQUIRE(s.start(0));
  REQUIRE(s.end(0, attempt_end::cancelled));
  CHECK(s.state(0) == vertex_state::failed);
  CHECK(s.state(1) == vertex_state::skipped);
  CHECK(s.live.state == job_state::completed); // It does not wait for ever.
}

TEST_CASE("an output that could not be read again fails its vertex", "[core][decide]") {
  value deep;
  for (std::size_t i = 0; i <= limits::value_depth_max; ++i)
    deep = value::list{std::move(deep)};
  scene s{compiled(tests::chain(1))};
  REQUIRE(s.move(job_request::start));
  s.end_pure(0, attempt_end::succeeded, deep); // Reads its record back.
  CHECK(s.live.error.code == "output_too_deep");
}

TEST_CASE("pure vertices that could not start now are left out", "[core][decide]") {
  graph_spec g = tests::chain(2);
  scene s{compiled(g)};
  REQUIRE(s.move(job_request::start));
  auto before = s.live;
  auto records = s.journal.size();
  s.end_pure(1, attempt_end::succeeded); // Its input is not there yet.
  CHECK(s.live == before);
  CHECK(s.journal.size() == records);
  s.end_pure(0, attempt_end::succeeded, "first");
  s.end_pure(0, attempt_end::succeeded, "second");
  CHECK(s.live.run->outputs[0].get() == value{"first"});
}

TEST_CASE("a pause starts nothing and lets what runs end", "[core][decide]") {
  graph_spec g{};
  add(g, "a"), add(g, "b");
  scene s{compiled(g)};
  REQUIRE(s.move(job_request::start));
  REQUIRE(s.start(0));
  REQUIRE(s.move(job_request::pause));
  CHECK_FALSE(s.start(1));
  REQUIRE(s.end(0, attempt_end::succeeded));
  CHECK(s.live.state == job_state::paused);
  REQUIRE(s.move(job_request::resume));
  REQUIRE(s.start(1));
  REQUIRE(s.move(job_request::pause));
  REQUIRE(s.end(1, attempt_end::succeeded));
  CHECK(s.live.state == job_state::completed);
}

TEST_CASE("a job that was paused before it ran is pending again", "[core][decide]") {
  scene s{compiled(tests::chain(1))};
  REQUIRE(s.move(job_request::pause));
  REQUIRE(s.move(job_request::resume));
  CHECK(s.live.state == job_state::pending);
  CHECK_FALSE(s.live.run);
}

TEST_CASE("a pause freezes a timer by exactly its length", "[core][decide]") {
  scene s{timer("10s")};
  REQUIRE(s.move(job_request::start));
  REQUIRE(s.start(0));
  auto due = s.now + 10s;
  REQUIRE(s.detail(0).due == due);
  for (auto pause : {5s, 3600s}) {
    s.now += 1s;
    REQUIRE(s.move(job_request::pause));
    s.now += pause;
    REQUIRE(s.move(job_request::resume));
    due += pause;
    CHECK(s.detail(0).due == due);
  }
}

TEST_CASE("a back-off that begins during a pause is whole when the pause ends", "[core][decide]") {
  graph_spec g{};
  auto& retry = add(g, "a").retry;
  retry = retry_of(5);
  retry.jitter = false; // The first delay is 100 ms.
  scene s{compiled(g)};
  REQUIRE(s.move(job_request::start));
  REQUIRE(s.start(0));
  REQUIRE(s.move(job_request::pause));
  s.now += 7s;
  REQUIRE(s.end(0, attempt_end::failed));
  s.now += 20s;
  REQUIRE(s.move(job_request::resume));
  CHECK(s.detail(0).due == s.now + 100ms);
}

TEST_CASE("a timer is due when its text says", "[core][decide]") {
  scene zero{timer("0s")};
  REQUIRE(zero.move(job_request::start));
  REQUIRE(zero.start(0));
  CHECK(zero.detail(0).due == zero.now + 1ms); // Zero would be no timer at all.

  graph_spec g{};
  add(g, "a", "delay").config = value::object{{"until", "2030-01-01T00:00:00Z"}};
  scene until{compiled(g)};
  REQUIRE(until.move(job_request::start));
  REQUIRE(until.start(0));
  CHECK(until.detail(0).due == shard_time{1'893'456'000s});
}

TEST_CASE("recovery starts, times and loses what the state alone tells", "[core][decide]") {
  graph_spec g{};
  for (auto id : {"ready", "running", "backoff", "done"})
    add(g, id).retry.max_attempts = 2;
  add(g, "timer", "delay").config = value::object{{"for", "10s"}};
  scene s{compiled(g)};
  REQUIRE(s.move(job_request::start));
  for (vertex_index v : {1u, 2u, 3u, 4u})
    REQUIRE(s.start(v));
  REQUIRE(s.end(2, attempt_end::failed));
  REQUIRE(s.end(3, attempt_end::succeeded));
  using list = std::vector<vertex_index>;
  auto found = resume(s.live);
  CHECK(found.ready == list{0});
  CHECK(found.lost == list{1});
  CHECK(found.timers == list{2, 4});

  REQUIRE(s.move(job_request::cancel));
  found = resume(s.live); // What runs must end now, timers too; nothing else may begin.
  CHECK(found.ready.empty());
  CHECK(found.timers.empty());
  CHECK(found.lost == list{1, 4});
  for (auto v : found.lost)
    REQUIRE(s.lose(v));
  CHECK(s.live.state == job_state::cancelled);
  found = resume(s.live);
  CHECK((found.ready.empty() && found.lost.empty() && found.timers.empty()));
}

TEST_CASE("what attempts say is bounded by the job's budget", "[core][decide]") {
  scene s{repeated(2)};
  REQUIRE(s.move(job_request::start));
  REQUIRE(s.start(0));
  REQUIRE(s.say(0, std::string(limits::stream_bytes_max - 5, 'x')));
  REQUIRE(s.say(0, "12\u20ac345")); // The euro sign takes bytes 3 to 5: whole.
  auto& last = std::get<stream_appended>(s.journal.back().body);
  CHECK(last.text == "12\u20ac");
  CHECK(last.cut);
  auto records = s.journal.size();
  REQUIRE(s.say(0, "more"));
  CHECK(s.journal.size() == records);
}

TEST_CASE("a budget that ends inside a character ends before it", "[core][decide]") {
  scene s{repeated(2)};
  REQUIRE(s.move(job_request::start));
  REQUIRE(s.start(0));
  REQUIRE(s.say(0, std::string(limits::stream_bytes_max - 4, 'x')));
  REQUIRE(s.say(0, "12\u20ac345"));
  auto& last = std::get<stream_appended>(s.journal.back().body);
  CHECK(last.text == "12");
  CHECK(last.cut);
  auto records = s.journal.size();
  REQUIRE(s.say(0, "more"));
  CHECK(s.journal.size() == records);
}

TEST_CASE("a new attempt resets what an earlier one said", "[core][decide]") {
  scene s{repeated(2)};
  REQUIRE(s.move(job_request::start));
  REQUIRE(s.start(0));
  REQUIRE(s.say(0, "one"));
  REQUIRE(s.say(0, "two"));
  CHECK(std::get<stream_appended>(s.journal.back().body).offset == 3);
  REQUIRE(s.end(0, attempt_end::failed));
  REQUIRE(s.start(0));
  CHECK(s.told.at(s.told.size() - 2).type == "reset");
  REQUIRE(s.say(0, "three"));
  CHECK(std::get<stream_appended>(s.journal.back().body).offset == 0);
}

TEST_CASE("a retry reuses what does not depend on where it begins", "[core][decide]") {
  auto plan = compiled(tests::chain(4));
  scene earlier{plan, 1}, later{plan, 2};
  REQUIRE(earlier.move(job_request::start));
  for (vertex_index v = 0; v < 4; ++v)
    earlier.end_pure(v, attempt_end::succeeded, int(v));
  REQUIRE(earlier.live.state == job_state::completed);

  CHECK(decide_reuse(later.live, earlier.live, 2, later.now).code() == ec::illegal_request);
  CHECK(decide_reuse(earlier.live, earlier.live, 2, later.now).code() == ec::illegal_request);
  REQUIRE(later.move(job_request::start));
  REQUIRE(later.take(decide_reuse(later.live, earlier.live, 2, later.now)));
  CHECK(later.state(1) == vertex_state::succeeded);
  CHECK(later.ready == std::vector<vertex_index>{2});
  CHECK(later.live.run->outputs[1].get() == value{1});
  CHECK(later.state(3) == vertex_state::waiting);
  auto again = decide_reuse(later.live, earlier.live, 2, later.now);
  REQUIRE(again);
  CHECK(again->empty());
}

TEST_CASE("reuse works whatever the order of vertices in the file", "[core][decide]") {
  graph_spec g{};
  add(g, "last"), add(g, "middle"), add(g, "first");
  tests::link(g, "first", "middle"), tests::link(g, "middle", "last");
  auto plan = compiled(g);
  scene earlier{plan, 1}, later{plan, 2};
  REQUIRE(earlier.move(job_request::start));
  for (vertex_index v : {2u, 1u, 0u})
    earlier.end_pure(v, attempt_end::succeeded, int(v));
  REQUIRE(later.move(job_request::start));
  REQUIRE(later.take(decide_reuse(later.live, earlier.live, 0, later.now)));
  CHECK(later.state(1) == vertex_state::succeeded);
  CHECK(later.state(2) == vertex_state::succeeded);
  CHECK(later.state(0) == vertex_state::ready);
  CHECK(gather(later.live, 0).inputs.find("in")->items()->size() == 1);
}

TEST_CASE("the largest results go into blobs, as few as possible", "[core][decide]") {
  constexpr std::size_t most = limits::record_group_bytes_max / 2;
  auto plan = compiled(tests::chain(5));
  scene earlier{plan, 1}, later{plan, 2};
  REQUIRE(earlier.move(job_request::start));
  std::vector<std::size_t> sizes{most / 4, most / 2, most / 8, 3 * most / 4, 10};
  for (vertex_index v = 0; v < 5; ++v)
    earlier.end_pure(v, attempt_end::succeeded, std::string(sizes[v], 'x'));
  REQUIRE(later.move(job_request::start));
  CHECK(decide_reuse(later.live, earlier.live, 4, later.now).code() == ec::too_large);
  CHECK(bulky_outputs(earlier.live, 2).empty()); // What runs again does not count.
  auto bulky = bulky_outputs(earlier.live, 4);
  CHECK(bulky == std::vector<vertex_index>{3});
  for (auto v : bulky) {
    auto x = std::make_shared<const value>(earlier.live.run->outputs[v].get());
    earlier.live.run->outputs[v] = payload{blob_ref{{1}, encoded_size(*x)}, x};
  }
  CHECK(bulky_outputs(earlier.live, 4).empty());
  REQUIRE(later.take(decide_reuse(later.live, earlier.live, 4, later.now)));
  CHECK(later.live.run->outputs[3].get() == earlier.live.run->outputs[3].get());
}

TEST_CASE("what depends on a failed vertex runs again with it", "[core][decide]") {
  graph_spec g{};
  add(g, "bad").on_error = on_error_policy::route;
  add(g, "rescue"), add(g, "other"), add(g, "last");
  tests::link(g, "bad", "rescue").from_port = "error";
  tests::link(g, "rescue", "last"), tests::link(g, "other", "last");
  auto plan = compiled(g);
  scene earlier{plan, 1}, later{plan, 2};
  REQUIRE(earlier.move(job_request::start));
  earlier.end_pure(0, attempt_end::failed, {});
  for (vertex_index v : {1u, 2u, 3u})
    earlier.end_pure(v, attempt_end::succeeded, int(v));
  REQUIRE(earlier.live.state == job_state::completed);
  REQUIRE(later.move(job_request::start));
  REQUIRE(later.take(decide_reuse(later.live, earlier.live, 3, later.now)));
  CHECK(later.state(0) == vertex_state::ready);
  CHECK(later.state(1) == vertex_state::waiting); // Its result was that of an old failure.
  CHECK(later.state(2) == vertex_state::succeeded);
}

TEST_CASE("a job that has ended takes no record of any kind", "[core][decide]") {
  scene s{repeated(1)};
  REQUIRE(s.move(job_request::start));
  REQUIRE(s.start(0));
  REQUIRE(s.say(0, "text"));
  auto records = s.journal;
  REQUIRE(s.end(0, attempt_end::succeeded));
  auto ended = s.live;
  records.push_back(s.journal.back());
  for (auto& r : records) {
    changes seen;
    apply(s.live, r, seen);
    CHECK(s.live == ended);
  }
}
