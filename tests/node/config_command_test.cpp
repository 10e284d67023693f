#include "node/config_command.hpp"
#include "node/security_commands.hpp"
#include "tests/support/catch.hpp"

using namespace troupe::node;

TEST_CASE("only a node with keys may listen where others can call it", "[node]") {
  auto asked = [](const char* address, bool has_keys) {
    node_config x;
    x.http.address = address;
    x.runtime.data_dir = "/var/lib/troupe";
    return exposure(x, "node.json", has_keys);
  };
  CHECK_FALSE(asked("127.0.0.1", false));
  CHECK_FALSE(asked("::1", false));
  CHECK_FALSE(asked("0.0.0.0", true));
  auto why = asked("0.0.0.0", false);
  REQUIRE(why);
  CHECK(why->next
        == "troupe keys create --role admin --data /var/lib/troupe, or http.address 127.0.0.1");
  CHECK(why->kind->name == "needs_key");
  CHECK(why->kind->exit == exit_code::unauthorised);
}

TEST_CASE("what makes the first key names the file that the node reads", "[node]") {
  node_config x;
  CHECK(first_key_command(x, "n.json") == "troupe keys create --role admin --data .troupe");
  x.security.keys_file = "/etc/troupe/keys.json";
  CHECK(first_key_command(x, "n.json") == "troupe keys create --role admin -c n.json");
}

TEST_CASE("a reload tells what needs a restart", "[node]") {
  CHECK(
      reload_lines({{"/log/level", "\"info\"", "\"debug\"", true}, {"/http/port", "1", "2", false}})
      == "/log/level: \"info\" -> \"debug\"\n/http/port: 1 -> 2 (only after a restart)\n");
}
