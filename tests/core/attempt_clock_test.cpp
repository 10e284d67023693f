#include "core/attempt_clock.hpp"
#include "tests/support/catch.hpp"
#include "troupe/limits.hpp"

using namespace troupe;
using namespace troupe::core;
using namespace std::chrono_literals;

namespace {

using step = attempt_clock::step;

attempt_clock::time at(duration x) { return attempt_clock::time{} + x; }

attempt_clock begun(duration soft, duration hard) { return {timeouts_spec{soft, hard}, at(0ms)}; }

} // namespace

TEST_CASE("an attempt without limits is left alone", "[core][attempt]") {
  auto clock = begun(0ms, 0ms);
  CHECK_FALSE(clock.deadline());
  CHECK(clock.advance(at(limits::duration_max)) == step::none);
  CHECK(clock.why() == early_end::none);
}

TEST_CASE("the soft limit asks, the hard one ends", "[core][attempt]") {
  auto clock = begun(10ms, 30ms);
  CHECK(clock.deadline() == at(10ms));
  CHECK(clock.advance(at(9ms)) == step::none);
  CHECK(clock.why() == early_end::none);
  CHECK(clock.advance(at(10ms)) == step::ask);
  CHECK(clock.why() == early_end::soft);
  CHECK(clock.deadline() == at(30ms));
  CHECK(clock.advance(at(29ms)) == step::none);
  CHECK(clock.advance(at(30ms)) == step::end);
  CHECK(clock.why() == early_end::hard);
  CHECK_FALSE(clock.deadline());
  CHECK(clock.advance(at(31ms)) == step::none);
}

TEST_CASE("a soft limit alone leaves the grace of a cancel", "[core][attempt]") {
  auto clock = begun(10ms, 0ms);
  REQUIRE(clock.advance(at(12ms)) == step::ask); // Late: the grace begins when it is asked.
  CHECK(clock.deadline() == at(12ms + limits::cancel_grace));
  CHECK(clock.advance(at(12ms + limits::cancel_grace)) == step::end);
  CHECK(clock.why() == early_end::soft);
}

TEST_CASE("who is seen after both limits is ended at once", "[core][attempt]") {
  auto clock = begun(10ms, 30ms);
  CHECK(clock.advance(at(40ms)) == step::end);
  CHECK(clock.why() == early_end::hard);

  auto odd = begun(30ms, 10ms); // The soft limit is never reached.
  CHECK(odd.deadline() == at(10ms));
  CHECK(odd.advance(at(10ms)) == step::end);
}

TEST_CASE("a cancel asks and ends after its grace", "[core][attempt]") {
  auto clock = begun(0ms, 0ms);
  CHECK(clock.cancel(20ms, at(5ms)) == step::ask);
  CHECK(clock.why() == early_end::cancelled);
  CHECK(clock.advance(at(24ms)) == step::none);
  CHECK(clock.advance(at(25ms)) == step::end);
  CHECK(clock.why() == early_end::cancelled);
}

TEST_CASE("a cancel without grace ends at once", "[core][attempt]") {
  auto clock = begun(10ms, 30ms);
  CHECK(clock.cancel(0ms, at(5ms)) == step::end);
  CHECK_FALSE(clock.deadline());
  CHECK(clock.cancel(20ms, at(6ms)) == step::none);
  CHECK(clock.advance(at(40ms)) == step::none);
  CHECK(clock.why() == early_end::cancelled);
}

TEST_CASE("a cancel leaves no longer than there was, and asks once", "[core][attempt]") {
  auto limited = begun(10ms, 30ms);
  CHECK(limited.cancel(1h, at(5ms)) == step::ask);
  CHECK(limited.deadline() == at(30ms));
  CHECK(limited.advance(at(10ms)) == step::none); // Its soft limit has nothing to add.
  CHECK(limited.advance(at(30ms)) == step::end);
  CHECK(limited.why() == early_end::cancelled);

  auto asked = begun(10ms, 0ms);
  REQUIRE(asked.advance(at(10ms)) == step::ask);
  CHECK(asked.cancel(5ms, at(11ms)) == step::ask);
  CHECK(asked.deadline() == at(16ms));

  auto twice = begun(0ms, 0ms);
  REQUIRE(twice.cancel(5ms, at(1ms)) == step::ask);
  CHECK(twice.cancel(1h, at(2ms)) == step::ask);
  CHECK(twice.deadline() == at(6ms));
}

TEST_CASE("what is cancelled while it is being ended counts as cancelled", "[core][attempt]") {
  auto clock = begun(0ms, 10ms);
  REQUIRE(clock.advance(at(10ms)) == step::end);
  CHECK(clock.cancel(1h, at(11ms)) == step::none);
  CHECK(clock.why() == early_end::cancelled);
  CHECK_FALSE(clock.deadline());
}
