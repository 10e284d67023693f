#include "tests/e2e/json.hpp"
#include "tests/e2e/process.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

/// v0 → v1 → … by delays of `ms`, then `sum`, whose output depends on nothing else.
std::string delays(int n, int ms) {
  std::string vertices, edges;
  for (int i = 0; i < n; ++i) {
    auto id = "v" + std::to_string(i);
    vertices += R"({"id": ")" + id + R"(", "kind": "delay", "config": {"for": ")"
                + std::to_string(ms) + R"(ms"}},)";
    edges += (i > 0 ? "," : "") + std::string{R"({"from": ")"} + id + R"(", "to": ")"
             + (i + 1 < n ? "v" + std::to_string(i + 1) : "sum") + "\"}";
  }
  return R"({"name": "delays", "vertices": [)" + vertices
         + R"({"id": "sum", "kind": "jq", "config": {"program": "6 * 7"}}], "edges": [)" + edges
         + "]}";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size()))
    ++n;
  return n;
}

std::vector<value> events_of(const scratch& in, const std::string& job) {
  return lines_of(troupe_with(in, {"jobs", "logs", job, "--all", "-o", "ndjson"}).out);
}

/// Starts the graph and waits until `vertex` has begun.
void await_start(const process& run, const std::string& vertex) {
  REQUIRE(eventually([&] { return count(lines_of(run.out()), "vertex_start", vertex) > 0; }));
}

std::string job_of(const process& run) { return text_at(lines_of(run.out()).front(), "job"); }

} // namespace

TEST_CASE("nothing to resume: 3 without a file, a new job with one", "[e2e]") {
  scratch in;
  in.write("g.json", delays(1, 1));
  auto anew = troupe_with(in, {"run", "g.json", "--resume"});
  CHECK(anew.code == 0);
  CHECK(anew.out == "{\"sum\":42}\n");
  auto nothing = troupe_with(in, {"run", "--resume"});
  CHECK(nothing.code == 3);
  CHECK(has(nothing.err, "error[E0007]: "));
}

TEST_CASE("to resume without a file makes no directory", "[e2e]") {
  scratch in;
  auto nothing = troupe_with(in, {"run", "--resume", "--data", "typo"});
  CHECK(nothing.code == 3);
  CHECK(has(nothing.err, "error[E0010]: there is no data directory typo\n"));
  CHECK_FALSE(fs::exists(in.path() / "typo"));
}

TEST_CASE("after kill -9 a job goes on: same result, gapless events, nothing twice", "[e2e]") {
  scratch in;
  in.write("g.json", delays(12, 30));
  process killed{in, {"run", "g.json", "-o", "ndjson"}};
  await_start(killed, "v5");
  auto job = job_of(killed);
  killed.send(SIGKILL);
  CHECK(killed.wait().code == 128 + SIGKILL);
  auto before = events_of(in, job);

  auto resumed = troupe_with(in, {"run", "--resume", "-o", "ndjson"});
  INFO(resumed.err);
  CHECK(resumed.code == 0);
  auto events = lines_of(resumed.out);
  CHECK(gapless(events));
  CHECK(text_at(events.front(), "job") == job);
  CHECK(*events.back().find("data")->find("result") == value{value::object{{"sum", 42}}});
  for (int i = 0; i < 12; ++i)
    CHECK(count(events, "end_vertex", "v" + std::to_string(i)) == 1);
  REQUIRE(before.size() <= events.size());
  CHECK(std::equal(before.begin(), before.end(), events.begin()));
  CHECK(events_of(in, job) == events);
}

TEST_CASE("Ctrl-C ends in order with 130, and the job can be resumed", "[e2e]") {
  scratch in;
  in.write("g.json", delays(6, 150));
  process interrupted{in, {"run", "g.json", "-o", "ndjson"}};
  await_start(interrupted, "v1");
  interrupted.send(SIGINT);
  auto ended = interrupted.wait();
  CHECK(ended.code == 130);
  CHECK(has(ended.err, "error[E0015]: "));
  CHECK(has(ended.err, "troupe run --resume"));

  auto resumed = troupe_with(in, {"run", "g.json", "--resume"});
  INFO(resumed.err);
  CHECK(resumed.code == 0);
  CHECK(resumed.out == "{\"sum\":42}\n");
  CHECK(gapless(events_of(in, job_of(interrupted))));
}

TEST_CASE("SIGTERM ends in order with 143", "[e2e]") {
  scratch in;
  in.write("g.json", delays(1, 60'000));
  process run{in, {"run", "g.json", "-o", "ndjson"}};
  await_start(run, "v0");
  run.send(SIGTERM);
  CHECK(run.wait().code == 143);
}

TEST_CASE("a terminal that is closed ends a run in order, however often", "[e2e]") {
  scratch in;
  in.write("g.json", R"({"vertices": [{"id": "v", "kind": "exec", "config": {
    "shell": "touch begun; while [ ! -e go ]; do sleep 0.01; done"}}], "result": "v"})");
  for (int i = 0; i < 7; ++i) { // More than attempts that end with their node may.
    auto how = i == 0 ? std::vector<std::string>{"run", "g.json"} : std::vector<std::string>{"run"};
    how.insert(how.end(), {"--resume", "-o", "ndjson"});
    process run{in, how};
    REQUIRE(eventually([&] { return fs::exists(in.path() / "begun"); }));
    run.send(SIGHUP);
    auto ended = run.wait();
    CHECK(ended.code == 143);
    CHECK(has(ended.err, "error[E0016]: "));
    CHECK(has(ended.err, "troupe run --resume"));
    fs::remove(in.path() / "begun");
  }
  in.write("go", "");
  CHECK(troupe_with(in, {"run", "--resume"}).out == "\"\"\n");
}

TEST_CASE("a file of another content does not continue a job", "[e2e]") {
  scratch in;
  in.write("g.json", delays(1, 60'000));
  in.write("other.json", delays(2, 1));
  process run{in, {"run", "g.json", "-o", "ndjson"}};
  await_start(run, "v0");
  run.send(SIGINT);
  REQUIRE(run.wait().code == 130);

  auto other = troupe_with(in, {"run", "other.json", "--resume"});
  CHECK(other.code == 4);
  CHECK(has(other.err, "error[E0008]: "));
  for (auto file : {"g.json", "other.json"}) {
    auto plan = troupe_with(in, {"run", file, "--dry-run", "-o", "json"});
    CHECK(has(other.err, text_at(json_of(plan.out), "graph")));
  }
}

TEST_CASE("a plain run leaves unfinished jobs as they are, and says so", "[e2e]") {
  scratch in;
  in.write("long.json", delays(1, 60'000));
  in.write("g.json", delays(1, 1));
  process run{in, {"run", "long.json", "-o", "ndjson"}};
  await_start(run, "v0");
  run.send(SIGINT);
  REQUIRE(run.wait().code == 130);
  auto before = events_of(in, job_of(run));

  auto plain = troupe_with(in, {"run", "g.json"});
  CHECK(plain.code == 0);
  CHECK(has(plain.err, "note: 1 unfinished job in .troupe; `troupe run --resume`"));
  CHECK(events_of(in, job_of(run)) == before);
}

TEST_CASE("jobs can be looked at while their owner runs", "[e2e]") {
  scratch in;
  in.write("g.json", R"({"name": "live", "vertices": [
    {"id": "talk", "kind": "exec", "config": {"shell": "echo one >&2; echo two >&2"}},
    {"id": "wait", "kind": "delay", "config": {"for": "60s"}}],
    "edges": [{"from": "talk", "to": "wait"}]})");
  process run{in, {"run", "g.json", "-o", "ndjson"}};
  await_start(run, "wait");
  auto id = job_of(run);

  auto jobs = json_of(troupe_with(in, {"jobs", "list", "-o", "json"}).out);
  REQUIRE(jobs.items()->size() == 1);
  CHECK(text_at(jobs.items()->front(), "id") == id);
  CHECK(text_at(jobs.items()->front(), "state") == "running");
  CHECK(json_of(troupe_with(in, {"jobs", "list", "--state", "failed", "-o", "json"}).out)
        == value{value::list{}});
  auto job = json_of(troupe_with(in, {"jobs", "get", id.substr(0, 10), "-o", "json"}).out);
  CHECK(*job.find("progress")->find("succeeded") == value{1});
  CHECK(*job.find("progress")->find("running") == value{1});
  auto logs = troupe_with(in, {"jobs", "logs", id, "--vertex", "talk"});
  CHECK(has(logs.out, "talk | one"));
  CHECK(has(logs.out, "talk | two"));
  CHECK(troupe_with(in, {"jobs", "logs", id, "--vertex", "wait"}).out == "");
  CHECK(troupe_with(in, {"jobs", "get", "ffff"}).code == 3);

  auto second = troupe_with(in, {"run", "g.json"});
  CHECK(second.code == 6);
  CHECK(has(second.err, "error[E0115]: "));
  run.send(SIGINT);
  CHECK(run.wait().code == 130);
}

TEST_CASE("logs are followed beside the owner until the job ends", "[e2e]") {
  scratch in;
  in.write("g.json", R"({"vertices": [
    {"id": "talk", "kind": "exec", "config": {"shell":
      "echo one >&2; until [ -e go ]; do sleep 0.02; done; echo two >&2"}}]})");
  process run{in, {"run", "g.json", "-o", "ndjson"}};
  await_start(run, "talk");
  auto id = job_of(run);
  process logs{in, {"jobs", "logs", id, "--follow"}};
  REQUIRE(eventually([&] { return has(logs.out(), "talk | one"); }));
  CHECK_FALSE(has(logs.out(), "talk | two"));
  in.write("go", "");
  auto followed = logs.wait();
  CHECK(followed.code == 0);
  CHECK(count_of(followed.out, "talk | one") == 1);
  CHECK(count_of(followed.out, "talk | two") == 1);
  CHECK(followed.err == "");
  CHECK(run.wait().code == 0);

  process again{in, {"jobs", "logs", id, "-f", "-o", "ndjson", "--all"}};
  CHECK(lines_of(again.wait().out) == events_of(in, id));
}

TEST_CASE("a job that nobody runs says so, and who follows it can be interrupted", "[e2e]") {
  scratch in;
  in.write("g.json", delays(1, 60'000));
  process run{in, {"run", "g.json", "-o", "ndjson"}};
  await_start(run, "v0");
  auto id = job_of(run);
  auto note = "no process runs";
  CHECK_FALSE(has(troupe_with(in, {"jobs", "list"}).err, note));
  CHECK(*json_of(troupe_with(in, {"jobs", "get", id, "-o", "json"}).out).find("orphan")
        == value{false});
  run.send(SIGKILL);
  run.wait();
  CHECK(has(troupe_with(in, {"jobs", "list"}).err, note));
  CHECK(has(troupe_with(in, {"jobs", "get", id}).out, note));
  CHECK(*json_of(troupe_with(in, {"jobs", "get", id, "-o", "json"}).out).find("orphan")
        == value{true});
  process logs{in, {"jobs", "logs", id, "--follow"}};
  REQUIRE(eventually([&] { return has(logs.err(), note); }));
  logs.send(SIGINT);
  CHECK(logs.wait().code == 130);
  fs::rename(in.path() / ".troupe", in.path() / "rd");
  auto way = std::string{"`troupe run --resume --data rd` continues "};
  CHECK(has(troupe_with(in, {"jobs", "get", id, "--data", "rd"}).out, way + "it"));
  CHECK(has(troupe_with(in, {"jobs", "list", "--data", "rd"}).err, way + "the newest"));
}

TEST_CASE("a prefix that fits several jobs is refused", "[e2e]") {
  scratch in;
  in.write("g.json", delays(1, 1));
  REQUIRE(troupe_with(in, {"run", "g.json"}).code == 0);
  REQUIRE(troupe_with(in, {"run", "g.json"}).code == 0);
  auto get = troupe_with(in, {"jobs", "get", "0"});
  CHECK(get.code == 2);
  CHECK(has(get.err, "error[E0012]: "));
  CHECK(json_of(troupe_with(in, {"jobs", "list", "--limit", "1", "-o", "json"}).out).items()->size()
        == 1);
}
