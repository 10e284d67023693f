#include "node/config_command.hpp"
#include "node/security_commands.hpp"
#include "tests/support/catch.hpp"

using namespace troupe::node;

TEST_CASE("only a node with keys may listen where others can call it", "[node]") {
  CHECK_FALSE(exposure("127.0.0.1", false));
  CHECK_FALSE(exposure("::1", false));
  CHECK_FALSE(exposure("0.0.0.0", true));
  auto why = exposure("0.0.0.0", false);
  REQUIRE(why);
  CHECK(why->kind->name == "needs_key");
  CHECK(why->kind->exit == exit_code::unauthorised);
}

TEST_CASE("a reload tells what needs a restart", "[node]") {
  CHECK(
      reload_lines({{"/log/level", "\"info\"", "\"debug\"", true}, {"/http/port", "1", "2", false}})
      == "/log/level: \"info\" -> \"debug\"\n/http/port: 1 -> 2 (only after a restart)\n");
}
