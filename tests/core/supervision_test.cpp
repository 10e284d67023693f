#include "core/supervision.hpp"
#include "tests/support/catch.hpp"

#include <random>
#include <vector>

using namespace troupe::core;
using namespace std::chrono_literals;

namespace {

const restart_policy policy{3, 1000ms, 10ms, 35ms};

} // namespace

TEST_CASE("a supervisor gives up at the failure after `intensity` restarts", "[core]") {
  restart_window window;
  for (int i = 0; i < 3; ++i)
    CHECK_FALSE(window.failed(policy, 100ms).escalate);
  CHECK(window.failed(policy, 100ms).escalate);
}

TEST_CASE("a restart is forgotten once its period has passed", "[core]") {
  restart_window window;
  for (auto at : {0ms, 400ms, 800ms})
    CHECK_FALSE(window.failed(policy, at).escalate);
  SECTION("a moment before: it counts") { CHECK(window.failed(policy, 999ms).escalate); }
  SECTION("then: it does not") {
    CHECK_FALSE(window.failed(policy, 1000ms).escalate);
    CHECK(window.failed(policy, 1001ms).escalate);
  }
}

TEST_CASE("the back-off doubles up to its cap and starts over after a calm time", "[core]") {
  restart_window window;
  std::vector<restart_window::time> delays;
  for (int i = 0; i < 3; ++i)
    delays.push_back(window.failed(policy, 0ms).delay);
  CHECK(delays == std::vector<restart_window::time>{10ms, 20ms, 35ms});
  CHECK(window.failed(policy, 1000ms).delay == 10ms);
}

TEST_CASE("without restarts the first failure escalates", "[core]") {
  restart_window window;
  CHECK(window.failed({0, 1000ms, 10ms, 10ms}, 0ms).escalate);
}

TEST_CASE("a storm of failures escalates once and never exceeds the intensity", "[core][random]") {
  auto seed = GENERATE(take(20, random(0, 1 << 30)));
  CAPTURE(seed);
  std::mt19937 engine(static_cast<unsigned>(seed));
  restart_window window;
  restart_window::time now{0};
  std::vector<restart_window::time> restarts;
  for (int escalations = 0; escalations == 0;) {
    auto verdict = window.failed(policy, now);
    auto recent = std::count_if(restarts.begin(), restarts.end(),
                                [&](auto at) { return now - at < policy.period; });
    REQUIRE(verdict.escalate == (recent >= 3));
    escalations += verdict.escalate; // The supervisor has failed: nobody asks again.
    restarts.push_back(now);
    now += verdict.delay + std::chrono::milliseconds(engine() % 500);
  }
  CHECK(restarts.size() >= 4);
}
