#include "tests/e2e/node.hpp"
#include "tests/support/environment_variable.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/service_manager.hpp"

using namespace troupe;
using namespace troupe::tests;

TEST_CASE("a node is fed to the watchdog only while its runtime answers", "[e2e][watchdog]") {
  scratch in;
  auto failed = (in.path() / "the-disk-fails").string();
  service_manager manager{"@troupe-e2e-" + std::to_string(::getpid())};
  environment_variable time{"WATCHDOG_USEC", "400000"}, shim{"LD_PRELOAD", TROUPE_FAULT_SHIM};
  environment_variable below{"TROUPE_SHIM_BELOW", (in.path() / ".troupe" / "journal").string()};
  environment_variable fails{"TROUPE_SHIM_FAILS_WITH", failed};
  environment_variable sanitizer{"ASAN_OPTIONS", "verify_asan_link_order=0"};
  process node{in, {"serve", "--port", "0"}};
  http_client c{port_of(node)};
  auto is_fed = [&] {
    for (auto said = manager.next(); said != "nothing"; said = manager.next())
      if (said == "WATCHDOG=1")
        return true;
    return false;
  };
  CHECK(is_fed());
  CHECK(is_fed());
  CHECK(c.ask("GET", "/readyz").status == 200);
  in.write("the-disk-fails", "");
  CHECK(c.ask("POST", "/v1/jobs", R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]}})").status
        == 503);
  auto unready = c.ask("GET", "/readyz?verbose");
  CHECK(unready.status == 503);
  CHECK(unready.body.find("[-] runtime: ") != std::string::npos);
  std::string said = manager.next(); // What was on its way.
  while (said == "WATCHDOG=1" || said == "READY=1")
    said = manager.next();
  for (int i = 0; i < 3; ++i, said = manager.next())
    CHECK(said.starts_with("STATUS=not well: "));
  CHECK(node.err().find("the runtime is not well") != std::string::npos);
  node.send(SIGTERM);
  CHECK(node.wait().code >= 0);
}
