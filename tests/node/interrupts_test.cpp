#include "node/interrupts.hpp"
#include "tests/support/catch.hpp"

#include <csignal>

using namespace troupe::node;

TEST_CASE("a hang-up is told once and ends nothing", "[node]") {
  hangups told;
  CHECK_FALSE(told.take());
  REQUIRE(::raise(SIGHUP) == 0);
  CHECK(told.take());
  CHECK_FALSE(told.take());
}
