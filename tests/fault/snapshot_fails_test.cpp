#include "tests/e2e/node.hpp"
#include "tests/fault/store_checks.hpp"
#include "tests/support/http_client.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr auto job = R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]}})";

} // namespace

TEST_CASE("a snapshot that cannot be written is told, and costs no job", "[fault][snapshot]") {
  scratch in;
  auto failing = in.path() / "the-disk-fails";
  std::vector<std::string> jobs;
  {
    shim loaded{in.path() / ".troupe" / "snapshot", "TROUPE_SHIM_FAILS_WITH", failing.string()};
    process node{in, {"serve", "--port", "0"}};
    http_client c{port_of(node)};
    auto submit = [&] {
      auto made = c.ask("POST", "/v1/jobs", job);
      REQUIRE(made.status == 201);
      jobs.push_back(made.text("id"));
    };
    submit();
    CHECK(has(c.ask("GET", "/metrics").body, "troupe_snapshot_failed 0"));
    in.write("the-disk-fails", "");
    REQUIRE(eventually([&] {
      submit(); // Something to write.
      return has(c.ask("GET", "/metrics").body, "troupe_snapshot_failed 1");
    }));
    CHECK(eventually([&] { return has(node.err(), "the snapshot is not written"); }));
    CHECK(c.ask("GET", "/readyz").status == 503);
    submit(); // The journal takes it.
    node.send(SIGTERM);
    node.wait();
  }
  process node{in, {"serve", "--port", "0"}};
  http_client c{port_of(node)};
  for (auto& id : jobs) {
    auto ended = c.ask("GET", "/v1/jobs/" + id + "/result?wait=60s");
    CHECK(ended.text("state") == "completed");
  }
  CHECK(has(c.ask("GET", "/metrics").body, "troupe_snapshot_failed 0"));
  CHECK(c.ask("GET", "/readyz").status == 200);
  node.send(SIGTERM);
  CHECK(node.wait().code == 0);
}
