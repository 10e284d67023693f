#include "tests/e2e/json.hpp"
#include "tests/e2e/node.hpp"
#include "tests/fault/small_disk.hpp"
#include "tests/support/http_client.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr std::size_t megabyte = 1 << 20;

std::string job_of(std::size_t input_bytes) {
  return R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]},"input":")"
         + std::string(input_bytes, 'i') + "\"}";
}

std::size_t jobs_told(http_client& c) {
  return c.ask("GET", "/v1/jobs?limit=1000").json().find("jobs")->items()->size();
}

} // namespace

TEST_CASE("a node whose disk is full answers 507, goes on to be read, and comes back",
          "[e2e][disk]") {
  auto kind = GENERATE("tmpfs", "ext4");
  CAPTURE(kind);
  scratch in;
  small_disk disk{in, 64 * megabyte, kind};
  if (disk.is_missing())
    return;
  variable free{"TROUPE_STORAGE_MIN_FREE_BYTES", std::to_string(6 * megabyte)};
  served_node node{in, {"--data", (disk.path() / "data").string()}};
  http_client c{node.port()};
  std::vector<std::string> accepted;
  auto submit = [&](std::size_t bytes) {
    auto made = c.ask("POST", "/v1/jobs", job_of(bytes));
    if (made.status == 201)
      accepted.push_back(made.text("id"));
    return made;
  };
  auto result_of = [&](const std::string& id) {
    return c.ask("GET", "/v1/jobs/" + id + "/result?wait=60s");
  };
  REQUIRE(submit(1000).status == 201);
  auto before = result_of(accepted[0]).body;

  disk.fill(3 * megabyte);
  REQUIRE(eventually([&] { return submit(1000).status == 507; }));
  auto refused = submit(1000);
  REQUIRE(refused.status == 507);
  CHECK(refused.text("code") == "no_space");
  CHECK(refused.text("detail").find("free space") != std::string::npos);
  CHECK(submit(100'000).status == 507); // As a blob, too.
  CHECK(c.ask("POST", "/v1/jobs:batch", job_of(10) + "\n", "Content-Type: application/x-ndjson\r\n")
            .body.find(R"("status":507)")
        != std::string::npos);

  CHECK(result_of(accepted[0]).body == before);
  for (auto& id : accepted)
    CHECK(result_of(id).text("state") == "completed");
  CHECK(jobs_told(c) == accepted.size()); // Nothing of what was refused.
  for (auto path : {"/v1/stats", "/v1/graphs", "/metrics", "/livez"})
    CHECK(c.ask("GET", path).status == 200);
  auto events =
      c.ask("GET", "/v1/jobs/" + accepted[0] + "/events", "", "Accept: application/x-ndjson\r\n");
  CHECK(gapless(lines_of(events.body)));

  disk.clear();
  CHECK(eventually([&] { return submit(100'000).status == 201; }));
  CHECK(result_of(accepted.back()).text("state") == "completed");
  CHECK(jobs_told(c) == accepted.size());
  node.send(SIGTERM);
  CHECK(node.wait().code == 0);
}
