#include "core/kind_catalog.hpp"
#include "tests/core/scene.hpp"
#include "troupe/limits.hpp"

using namespace troupe;
using namespace troupe::core;
using namespace std::chrono_literals;
using tests::add;
using tests::compiled;
using tests::scene;

namespace {

/// `a`, run by a worker, then `b`.
std::shared_ptr<const graph> by_worker() {
  graph_spec g;
  auto& v = add(g, "a", "worker");
  v.config = value::object{{"task", "resize"}};
  v.retry.max_attempts = 2;
  add(g, "b");
  tests::link(g, "a", "b");
  return compiled(g);
}

struct leased_scene : scene {
  leased_scene() : scene(by_worker()) {
    REQUIRE(move(job_request::start));
    REQUIRE(lease());
  }

  bool lease() { return take(decide_lease(live, 0, 30s, "w", now, random)); }
  result<record_group> emit(std::uint64_t number, std::string text) {
    return decide_emitted(live, 0, proof(0), number, stream_kind::token, std::move(text), now);
  }
};

} // namespace

TEST_CASE("a lease outlives its node, an attempt of the node does not", "[core][work]") {
  leased_scene s;
  CHECK(s.state(0) == vertex_state::running);
  CHECK(s.detail(0).lease == 30s);
  auto left = resume(s.live);
  CHECK(left.leased == std::vector<vertex_index>{0});
  CHECK(left.lost.empty());
  auto& start = s.told.back();
  CHECK(start.type == "vertex_start");
  CHECK(*start.data.find("worker") == value{"w"});

  REQUIRE(s.move(job_request::pause));
  CHECK(resume(s.live).leased.size() == 1); // It may finish.
  REQUIRE(s.move(job_request::resume));
  REQUIRE(s.move(job_request::cancel));
  CHECK(resume(s.live).leased.empty());
  CHECK(resume(s.live).lost == std::vector<vertex_index>{0});
}

TEST_CASE("a vertex that a worker lost is leased again as the same attempt", "[core][work]") {
  leased_scene s;
  auto first = s.proof(0);
  CHECK_FALSE(s.lease()); // Somebody has it.
  for (std::uint32_t lost = 1; lost <= limits::redeliveries_max; ++lost) {
    REQUIRE(s.lose(0));
    CHECK(s.ready == std::vector<vertex_index>{0});
    REQUIRE(s.lease());
    CHECK(s.detail(0).attempts == 1);
    CHECK(s.proof(0) != first);
  }
  REQUIRE(s.lose(0));
  CHECK(s.live.state == job_state::failed);
  CHECK(s.detail(0).error.code == "redelivery_limit");
  CHECK(s.detail(0).error.detail.find("worker") != std::string::npos);
}

TEST_CASE("the same end of the same attempt is known again, no other", "[core][work]") {
  leased_scene s;
  auto proof = s.proof(0);
  auto well = scene::result_for(0, attempt_end::succeeded, 7);
  CHECK_FALSE(has_recorded(s.live, proof, well));
  REQUIRE(s.end(0, attempt_end::succeeded, 7));
  CHECK(has_recorded(s.live, proof, well));
  CHECK_FALSE(has_recorded(s.live, {1, 2}, well));
  CHECK_FALSE(has_recorded(s.live, proof, scene::result_for(0, attempt_end::succeeded, 8)));
  CHECK_FALSE(has_recorded(s.live, proof, scene::result_for(0, attempt_end::failed, {})));
}

TEST_CASE("an end that was cancelled away is known as a failure, not as an output",
          "[core][work]") {
  leased_scene s;
  auto proof = s.proof(0);
  REQUIRE(s.move(core::job_request::cancel));
  REQUIRE(s.end(0, attempt_end::cancelled));
  REQUIRE(s.state(0) == vertex_state::cancelled);
  CHECK(has_recorded(s.live, proof, scene::result_for(0, attempt_end::failed, {})));
  CHECK_FALSE(has_recorded(s.live, proof, scene::result_for(0, attempt_end::succeeded, 7)));
}

TEST_CASE("a failure is known again, also while the vertex waits for its next attempt",
          "[core][work]") {
  leased_scene s;
  auto proof = s.proof(0);
  auto failed = scene::result_for(0, attempt_end::failed, {});
  REQUIRE(s.end(0, attempt_end::failed));
  CHECK(s.state(0) == vertex_state::backoff);
  CHECK(has_recorded(s.live, proof, failed));
  CHECK_FALSE(has_recorded(s.live, proof, scene::result_for(0, attempt_end::succeeded, 7)));
  REQUIRE(s.lease());
  CHECK(s.detail(0).attempts == 2);
  CHECK(has_recorded(s.live, proof, failed));
}

TEST_CASE("a piece that is emitted twice is recorded once, and none is left out", "[core][work]") {
  leased_scene s;
  REQUIRE(s.take(s.emit(1, "Hel")));
  auto before = s.live;
  auto again = s.emit(1, "Hel");
  REQUIRE(again);
  CHECK(again->empty());
  CHECK(s.emit(3, "!").code() == ec::illegal_request);
  CHECK(s.live == before);
  REQUIRE(s.take(s.emit(2, "lo")));
  CHECK(s.told.back().type == "token");
  CHECK(*s.told.back().data.find("offset") == value{3});
  REQUIRE(s.lose(0));
  REQUIRE(s.lease());
  REQUIRE(s.take(s.emit(1, "Hi"))); // Each attempt counts anew.
  CHECK(*s.told.back().data.find("offset") == value{0});
}

TEST_CASE("a worker's vertex names its task, and its queue unless it is the job's",
          "[core][work][kinds]") {
  auto kinds = builtin_kinds();
  auto wrong_in = [&](value config) {
    problems found;
    kinds.at("worker").check(config, "/config", found);
    return found;
  };
  CHECK(wrong_in(value::object{{"task", "t"}}).empty());
  CHECK(wrong_in(value::object{{"task", "t"}, {"queue", "q"}, {"arguments", 3}}).empty());
  CHECK(wrong_in(value::object{}).size() == 1);
  CHECK(wrong_in(value::object{{"task", "a b"}, {"queue", "/"}}).size() == 2);
  CHECK(wrong_in(value::object{{"task", "t"}, {"queues", "q"}}).front().code == "unknown_key");
  CHECK(worker_task_of(value::object{{"task", "t"}}, "jobs").queue == "jobs");
  CHECK(worker_task_of(value::object{{"task", "t"}, {"queue", "q"}}, "jobs").queue == "q");
}
