#include "tests/core/scene.hpp"
#include "troupe/limits.hpp"

using namespace troupe;
using namespace troupe::core;
using namespace troupe::tests;

namespace {

using texts = std::vector<std::string>;

bool tell(scene& s, std::string text) {
  return s.take(decide_message(s.live, std::move(text), s.now));
}

ec refused(const scene& s, std::string text = "and a taxi") {
  return decide_message(s.live, std::move(text), s.now).code();
}

} // namespace

TEST_CASE("a job is told in order, while it waits, runs and is paused", "[core][message]") {
  scene s{compiled(tests::chain(1))};
  REQUIRE(tell(s, "a"));
  REQUIRE(s.move(job_request::pause));
  REQUIRE(tell(s, "b"));
  REQUIRE(s.move(job_request::resume));
  REQUIRE(s.move(job_request::start));
  REQUIRE(tell(s, "c"));
  REQUIRE(s.move(job_request::pause));
  REQUIRE(tell(s, "a"));
  CHECK(s.live.messages == texts{"a", "b", "c", "a"});
  auto before = s.live;
  before.messages.pop_back();
  CHECK_FALSE(before == s.live);
}

TEST_CASE("each message is one event of the job", "[core][message]") {
  scene s{compiled(tests::chain(1))};
  REQUIRE(s.move(job_request::start));
  auto before = s.told.size();
  REQUIRE(tell(s, "and a taxi"));
  REQUIRE(s.told.size() == before + 1);
  auto& x = s.told.back();
  CHECK(x.type == "add_message");
  CHECK_FALSE(x.stream);
  CHECK(x.data == value::object{{"text", "and a taxi"}, {"sender", "user"}});
}

TEST_CASE("a job that has ended or is about to is told nothing, and its state is named",
          "[core][message]") {
  scene cancelled{compiled(tests::chain(1))};
  REQUIRE(cancelled.move(job_request::cancel));
  auto over = decide_message(cancelled.live, "x", cancelled.now);
  REQUIRE(over.code() == ec::illegal_request);
  CHECK_THAT(over.error().detail, Catch::Contains("cancelled"));

  auto fan = tests::fan_out(2);
  for (auto on : {job_request::cancel, job_request::stop}) {
    scene s{compiled(fan)};
    REQUIRE(s.move(job_request::start));
    REQUIRE(s.start(0));
    REQUIRE(s.move(on));
    auto ending = decide_message(s.live, "x", s.now);
    REQUIRE(ending.code() == ec::illegal_request);
    CHECK_THAT(ending.error().detail, Catch::Contains(to_string(s.live.state)));
  }

  scene failing{compiled(fan)};
  REQUIRE(failing.move(job_request::start));
  failing.end_pure(0, attempt_end::succeeded);
  REQUIRE(failing.start(1));
  REQUIRE(failing.start(2));
  CHECK(refused(failing) == ec::none);
  REQUIRE(failing.end(1, attempt_end::failed));
  REQUIRE(failing.live.state == job_state::running);
  CHECK(refused(failing) == ec::illegal_request);
}

TEST_CASE("a record that tells a job after its end changes nothing", "[core][message]") {
  scene s{compiled(tests::chain(1))};
  REQUIRE(s.move(job_request::cancel));
  auto before = s.live;
  changes seen;
  apply(s.live, record_for(s.live, s.now, message_added{"x"}), seen);
  CHECK(seen.ignored.size() == 1);
  CHECK(s.live == before);
}

TEST_CASE("what a job is told is a text of UTF-8, within bounds", "[core][message]") {
  scene s{compiled(tests::chain(1))};
  CHECK(refused(s, "") == ec::invalid_spec);
  CHECK(refused(s, "\xff") == ec::invalid_spec);
  CHECK(refused(s, std::string(limits::job_messages_bytes_max + 1, 'x')) == ec::too_large);
  CHECK(refused(s, std::string(limits::job_messages_bytes_max, 'x')) == ec::none);
  REQUIRE(tell(s, "x"));
  CHECK(refused(s, std::string(limits::job_messages_bytes_max, 'x')) == ec::too_large);
  while (s.live.messages.size() < limits::job_messages_max)
    REQUIRE(tell(s, "x"));
  auto more = decide_message(s.live, "x", s.now);
  REQUIRE(more.code() == ec::too_large);
  CHECK_THAT(more.error().detail, Catch::Contains("101 messages") && Catch::Contains("100"));
}
