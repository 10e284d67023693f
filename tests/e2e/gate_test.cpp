#include "tests/e2e/json.hpp"
#include "tests/e2e/node.hpp"
#include "tests/support/environment_variable.hpp"
#include "tests/support/http_client.hpp"

#include <memory>

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr int rounds = 25; ///< Of reads, while nothing may leave.

const std::string noop = R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]}})";
const std::string slow_of_team = R"({"graph":{"vertices":[{"id":"a","kind":"delay",)"
                                 R"("config":{"for":"1h"}}]},"labels":{"team":")";
const std::string labour =
    R"({"queue":"w","graph":{"vertices":[{"id":"a","kind":"worker","config":{"task":"t"}}]}})";
const std::string task = R"({"session_id":"s","task_description":"x","llm_profile_name":"p"})";
const std::string keyed = "Idempotency-Key: k\r\n";

/// The disk below the journal of a node that is started while this is there: a sync can be held.
class journal_disk {
public:
  explicit journal_disk(const scratch& in) : hold_((in.path() / "hold").string()) {}

  void hold() const { std::ofstream{hold_} << ""; }
  void release() const { fs::remove(hold_); }
  /// Whether a sync waits.
  bool holds() const { return fs::exists(hold_ + ".waits"); }

private:
  std::string hold_;
  environment_variable shim_{"LD_PRELOAD", TROUPE_FAULT_SHIM};
  environment_variable sanitizer_{"ASAN_OPTIONS", "verify_asan_link_order=0"};
  environment_variable below_{"TROUPE_SHIM_BELOW",
                              (fs::path{hold_}.parent_path() / ".troupe" / "journal").string()};
  environment_variable held_by_{"TROUPE_SHIM_HELD_BY", hold_};
};

/// A request on a connection of its own, whose answer waits for the disk.
struct question {
  question(std::uint16_t port, std::string name, const std::string& method,
           const std::string& target, const std::string& body = {}, const std::string& fields = {})
      : what(std::move(name)), client(std::make_unique<http_client>(port)) {
    REQUIRE(client->send(client->text_of(method, target, body, fields)));
  }
  /// What was told; the head of a stream tells nothing, and neither does a sign of life.
  std::string told() const {
    auto text = client->heard();
    if (text.find("Transfer-Encoding: chunked") != text.npos)
      text.erase(0, text.find("\r\n\r\n") + 4);
    const std::string ping = "8\r\n: ping\n\n\r\n";
    while (text.starts_with(ping))
      text.erase(0, ping.size());
    return text;
  }

  std::string what;
  std::unique_ptr<http_client> client;
};

/// The lines of `/metrics` that count what happens to jobs.
std::string counts_in(const std::string& metrics) {
  std::istringstream lines{metrics};
  std::string all;
  for (std::string line; std::getline(lines, line);)
    for (auto family : {"troupe_queue_jobs", "troupe_job_wait_seconds_count", "troupe_jobs",
                        "troupe_job_run_seconds_count", "troupe_job_bytes", "troupe_errors_total",
                        "troupe_attempts_total", "troupe_wait_reason_seconds_total"})
      if (line.starts_with(family))
        all += line + "\n";
  return all;
}

/// A node with jobs of several kinds, and what it tells of them.
struct gated_node {
  gated_node() : node(in), c(node.port()) {
    for (auto id : {&first_slow, &second_slow})
      *id = submit(slow_of_team + (id == &first_slow ? "one" : "two") + "\"}}");
    for (auto id : {&ended, &deleted})
      *id = submit(noop);
    submit(labour);
    // The metrics move last.
    REQUIRE(eventually([&] {
      auto now = counts();
      return now.find(R"(troupe_jobs{queue="default",state="running"} 2)") != now.npos
             && now.find(R"(troupe_jobs{queue="w",state="running"} 1)") != now.npos
             && now.find(R"(troupe_jobs{queue="default",state="completed"} 2)") != now.npos
             && now.find(R"(flow_id="inline",status="completed"} 2)") != now.npos
             && now.find(R"(_count{flow_id="inline",task_type="job"} 5)") != now.npos
             && now.find(R"(kind="noop",outcome="succeeded"} 2)") != now.npos;
    }));
  }

  std::string submit(const std::string& body) {
    auto made = c.ask("POST", "/v1/jobs", body);
    INFO(made.body);
    REQUIRE(made.status == 201);
    return made.text("id");
  }
  std::string get(const std::string& path) { return c.ask("GET", path).body; }
  std::string counts() { return counts_in(get("/metrics")); }

  /// What is read without asking a shard: it is there at any time, as it was.
  std::string lists() {
    return get("/v1/jobs") + get("/v1/jobs?state=unfinished") + get("/v1/stats") + get("/api/tasks")
           + get("/api/tasks/status") + counts();
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (auto& id : {first_slow, second_slow, deleted})
      for (auto behind : {"", "/result", "/vertices"})
        all.push_back("/v1/jobs/" + id + behind);
    return all;
  }

  scratch in;
  journal_disk disk{in};
  served_node node;
  http_client c;
  std::string first_slow, second_slow, ended, deleted;
};

/// The answers to two requests, of which either may have come first, in the order of statuses.
std::pair<http_reply, http_reply> both(std::vector<question>& all, std::size_t at) {
  auto x = all[at].client->read(), y = all[at + 1].client->read();
  return x.status <= y.status ? std::pair{x, y} : std::pair{y, x};
}

} // namespace

TEST_CASE_METHOD(gated_node, "nothing tells of what is not durable: no 409, no list, no replay",
                 "[e2e][gate]") {
  auto port = node.port();
  auto lists_before = lists();
  std::map<std::string, std::string> before;
  for (auto& path : paths())
    before[path] = get(path);
  question events{port, "events", "GET", "/v1/jobs/" + first_slow + "/events"};
  std::string piece;
  REQUIRE(events.client->read_head().status == 200);
  while (piece.find("vertex_start") == piece.npos)
    REQUIRE(events.client->read_chunk(piece));
  question waiting{port, "a wait for the end", "GET",
                   "/v1/jobs/" + first_slow + "/result?wait=60s"};

  disk.hold();
  std::vector<question> all;
  auto ask = [&](const std::string& what, const std::string& method, const std::string& target,
                 const std::string& body = {}, const std::string& fields = {}) {
    all.emplace_back(port, what, method, target, body, fields);
  };
  ask("a new job", "POST", "/v1/jobs", noop, keyed);
  REQUIRE(eventually([&] { return disk.holds(); }));
  ask("its replay", "POST", "/v1/jobs", noop, keyed);
  ask("another job with its key", "POST", "/v1/jobs", slow_of_team + "k\"}}", keyed);
  for (auto what : {"a cancellation", "a second one"})
    ask(what, "POST", "/v1/jobs/" + first_slow + ":cancel");
  for (auto what : {"a deletion", "a second one"})
    ask(what, "DELETE", "/v1/jobs/" + deleted);
  for (auto what : {"a task", "a second one"})
    ask(what, "POST", "/api/tasks/submit", task);
  ask("a bulk step", "POST", "/v1/jobs:stop?label=team%3Dtwo");
  ask("a retry", "POST", "/v1/jobs/" + ended + ":retry");
  ask("a batch", "POST", "/v1/jobs:batch", noop + "\n", "Content-Type: application/x-ndjson\r\n");
  ask("work", "POST", "/v1/work:fetch", R"({"queues":["w"],"wait":"60s"})");

  std::vector<std::pair<std::string, question>> reads;
  for (int i = 0; i < rounds; ++i) {
    for (auto& path : paths())
      reads.emplace_back(path, question{port, path, "GET", path});
    CHECK(lists() == lists_before);
    for (auto& x : all) {
      INFO(x.what);
      CHECK(x.told() == "");
    }
    CHECK(events.told() == "");
    CHECK(waiting.told() == "");
  }
  for (auto& [path, x] : reads) // Those that came before the changes did are answered as it was.
    if (!x.client->heard().empty()) {
      INFO(path);
      CHECK(x.client->read().body == before[path]);
      x.client->close();
    }
  REQUIRE(fs::exists(in.path() / "hold"));

  disk.release();
  auto next = [&, at = std::size_t{0}]() mutable {
    INFO(all[at].what);
    return all[at++].client->read();
  };
  auto made = next(), replay = next(), conflict = next();
  CHECK(made.status == 201);
  CHECK(replay.status == 200);
  CHECK(made.text("id") == replay.text("id"));
  CHECK(conflict.status == 422);
  auto [cancelled, refused] = both(all, 3);
  CHECK(cancelled.status == 200);
  CHECK(refused.status == 409);
  auto [removed, missing] = both(all, 5);
  CHECK(removed.status == 204);
  CHECK(missing.status == 404);
  auto one = all[7].client->read(), other = all[8].client->read();
  CHECK(*one.json().find("success") != *other.json().find("success"));
  CHECK(*all[9].client->read().json().find("jobs") == value{1});
  CHECK(all[10].client->read().status == 201);
  CHECK(all[11].client->read().body.find(R"("status":201)") != std::string::npos);
  CHECK(all[12].client->read().json().find("work")->items()->size() == 1);
  CHECK(waiting.client->read().text("state") == "cancelled");
  std::string rest;
  while (events.client->read_chunk(piece) && !piece.empty())
    rest += piece;
  CHECK(rest.find("event: end") != rest.npos);
  for (auto& [path, x] : reads)
    if (x.client->is_open()) {
      auto status = x.client->read().status;
      INFO(path);
      CHECK((status == 200 || status == 202 || status == 404));
    }
  CHECK(get("/v1/jobs").find(made.text("id")) != std::string::npos);
  CHECK(lists() != lists_before);
}

TEST_CASE("who waits for its turn is told when no turn can come any more", "[e2e][gate]") {
  scratch in;
  in.write("node.json", R"({"queues":{"exclusive_wait":["turns"]}})");
  auto failed = (in.path() / "the-disk-fails").string();
  environment_variable shim{"LD_PRELOAD", TROUPE_FAULT_SHIM};
  environment_variable below{"TROUPE_SHIM_BELOW", (in.path() / ".troupe" / "journal").string()};
  environment_variable fails{"TROUPE_SHIM_FAILS_WITH", failed};
  environment_variable sanitizer{"ASAN_OPTIONS", "verify_asan_link_order=0"};
  served_node node{in, {"-c", "node.json"}};
  http_client first{node.port()}, second{node.port()}, third{node.port()};
  const std::string body = R"({"queue":"turns","graph":{"vertices":[{"id":"a","kind":"delay",)"
                           R"("config":{"for":"1h"}}]}})";
  auto made = first.ask("POST", "/v1/jobs", body);
  REQUIRE(made.status == 201);
  second.send(second.text_of("POST", "/v1/jobs", body));
  in.write("the-disk-fails", "");
  CHECK(third.ask("POST", "/v1/jobs/" + made.text("id") + ":pause").status == 503);
  CHECK(second.read().status == 503);
}
