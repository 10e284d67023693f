#include "tests/e2e/json.hpp"
#include "tests/e2e/node.hpp"

using namespace troupe;
using namespace troupe::tests;
using Catch::Contains;

namespace {

/// What stands behind a word, up to the end of its line.
std::string behind(const std::string& text, const std::string& word) {
  auto at = text.find(word);
  REQUIRE(at != text.npos);
  at += word.size();
  return text.substr(at, text.find('\n', at) - at);
}

/// `troupe dev` in a directory, ready to be tried.
class dev_node : public process {
public:
  explicit dev_node(const scratch& in, const std::string& port = "0")
      : process(in, {"dev", "--port", port}) {
    REQUIRE(eventually([this] { return err().find("A graph of your own") != std::string::npos; }));
  }
  std::string url() const { return behind(err(), "export TROUPE_URL="); }
  std::string token() const { return behind(err(), "export TROUPE_TOKEN="); }
  std::string port() const { return url().substr(url().rfind(':') + 1); }
};

/// What `curl` gets.
std::string curl(const scratch& in, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"curl", "-sS", "--max-time", "60"});
  auto got = process{in, std::move(arguments), {}, "/usr/bin/env"}.wait();
  INFO(got.err);
  REQUIRE(got.code == 0);
  return got.out;
}

const std::string delays = R"({"graph":{"name":"delays","vertices":[
  {"id":"first","kind":"noop"},
  {"id":"second","kind":"delay","config":{"for":"1500ms"}},
  {"id":"third","kind":"delay","config":{"for":"100ms"}}],
  "edges":[{"from":"first","to":"second"},{"from":"second","to":"third"}]}})";

} // namespace

TEST_CASE("troupe dev prints a key, has run a sample, and says what works", "[e2e][dev]") {
  scratch home;
  dev_node node{home};
  variable url{"TROUPE_URL", node.url()}, token{"TROUPE_TOKEN", node.token()};
  auto jobs = lines_of(troupe_with(home, {"jobs", "list", "-o", "ndjson"}).out);
  REQUIRE(jobs.size() == 1);
  CHECK(text_at(jobs[0], "state") == "completed");
  auto id = text_at(jobs[0], "id");
  CHECK_THAT(node.err(), Contains("troupe jobs get " + id));
  CHECK(troupe_with(home, {"jobs", "result", id}).out == "{\"greet\":\"HELLO, WORLD\"}\n");
  auto again = troupe_with(home, {"jobs", "retry", id, "--from", "world"});
  REQUIRE(again.code == 0);
  CHECK(troupe_with(home, {"jobs", "watch", again.out.substr(0, 36)}).code == 0);
  home.write("g.json", R"({"vertices": [{"id": "up", "kind": "exec",
                           "config": {"argv": ["echo", "up"]}}]})");
  CHECK(troupe_with(home, {"submit", "g.json", "--wait"}).out == "{\"up\":\"up\"}\n");
  CHECK(troupe_with(home, {"jobs", "list", "--token", "trp_00000000_x"}).code == 5);
  auto second = troupe_with(home, {"dev", "--port", "0"});
  CHECK(second.code == 6);
  CHECK_THAT(second.err, Contains("error[E0115]")
                             && Contains("the process with pid " + std::to_string(node.id())));
  node.send(SIGINT);
  CHECK(node.wait().code == 0);
}

TEST_CASE("troupe dev runs a sample again that somebody has deleted", "[e2e][dev]") {
  scratch home;
  {
    dev_node node{home};
    variable url{"TROUPE_URL", node.url()}, token{"TROUPE_TOKEN", node.token()};
    REQUIRE(troupe_with(home, {"jobs", "purge", "--state", "completed", "--yes"}).code == 0);
    node.send(SIGTERM);
    CHECK(node.wait().code == 0);
  }
  dev_node node{home};
  CHECK_THAT(node.err(), Contains("A sample has run here") && !Contains("warning"));
}

TEST_CASE("troupe dev ends with its terminal", "[e2e][dev]") {
  scratch home;
  dev_node node{home};
  node.send(SIGHUP);
  CHECK(node.wait().code == 0);
}

TEST_CASE("troupe dev makes nothing if its port is taken", "[e2e][dev]") {
  scratch home, other;
  dev_node node{home};
  auto refused = troupe_with(other, {"dev", "--port", node.port()});
  CHECK(refused.code == 6);
  CHECK_THAT(refused.err, Contains("error[E0024]") && Contains(node.port()));
  CHECK_FALSE(fs::exists(other.path() / ".troupe"));
}

TEST_CASE("keys of earlier starts of troupe dev stay valid, up to a few", "[e2e][dev]") {
  scratch home;
  std::vector<std::string> keys;
  for (int i = 0; i < 6; ++i) {
    dev_node node{home};
    keys.push_back(node.token());
    node.send(SIGTERM);
    CHECK(node.wait().code == 0);
  }
  dev_node node{home};
  auto code = [&](const std::string& key) {
    return troupe_with(home, {"jobs", "list", "--url", node.url(), "--token", key}).code;
  };
  CHECK(code(keys[0]) == 5);
  CHECK(code(keys[1]) == 5);
  CHECK(code(keys[2]) == 0);
  CHECK(code(keys[5]) == 0);
}

TEST_CASE("a node is tried with curl, killed, started again, and its events go on", "[e2e][dev]") {
  scratch home;
  auto first = std::make_unique<dev_node>(home);
  auto url = first->url(), port = first->port();
  const std::string key = "Authorization: Bearer " + first->token();
  auto made = json_of(curl(
      home, {url + "/v1/jobs", "-H", key, "-H", "Content-Type: application/json", "-d", delays}));
  auto job = url + "/v1/jobs/" + text_at(made, "id");
  const std::string ndjson = "Accept: application/x-ndjson";
  process reader{
      home, {"curl", "-sSN", job + "/events", "-H", key, "-H", ndjson}, {}, "/usr/bin/env"};
  variable token{"TROUPE_TOKEN", first->token()};
  process watch{home, {"jobs", "watch", text_at(made, "id"), "--url", url}};
  REQUIRE(eventually([&] { return count(lines_of(reader.out()), "vertex_start", "second") > 0; }));
  REQUIRE(eventually([&] { return watch.err().find("start    second") != std::string::npos; }));
  first->send(SIGKILL);
  first->wait();
  auto before = lines_of(reader.wait().out);

  dev_node second{home, port};
  auto from = job + "/events?from=" + std::to_string(before.size() + 1);
  auto rest = lines_of(curl(home, {"-N", from, "-H", key, "-H", ndjson}));
  auto all = before;
  all.insert(all.end(), rest.begin(), rest.end());
  CHECK(gapless(all));
  CHECK(lines_of(curl(home, {"-N", job + "/events", "-H", key, "-H", ndjson})) == all);
  auto result = json_of(curl(home, {job + "/result?wait=30s", "-H", key}));
  CHECK(text_at(result, "state") == "completed");
  auto metrics = curl(home, {url + "/metrics"});
  CHECK_THAT(metrics,
             Contains(R"(troupe_jobs_finished_total{flow_id="delays",status="completed"} 1)")
                 && Contains(R"(troupe_job_run_seconds_count{flow_id="delays",task_type="job"} 1)")
                 && Contains(R"(troupe_queue_jobs{flow_id="delays"} 0)"));
  auto seen = watch.wait();
  INFO(seen.err);
  CHECK(seen.code == 0);
  CHECK_THAT(seen.err, Contains("ok       third") && Contains("completed in"));
}
