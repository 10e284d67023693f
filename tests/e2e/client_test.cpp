#include "tests/e2e/json.hpp"
#include "tests/e2e/node.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/tls.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

using namespace troupe;
using namespace troupe::tests;
using Catch::Contains;

namespace {

const std::string twice = R"({"name":"twice","vertices":[
  {"id":"a","kind":"jq","config":{"program":".job * 2"}}]})";

const std::string failing = R"({"name":"failing","vertices":[
  {"id":"bad","kind":"exec","config":{"shell":"echo why >&2; exit 3"}}]})";

/// Three vertices, of which the second one waits for a file.
const std::string gated = R"({"name":"gated","vertices":[
  {"id":"a","kind":"noop","config":{"output":1}},
  {"id":"b","kind":"exec","config":{"shell":"while [ ! -e go ]; do sleep 0.01; done; echo ok"}},
  {"id":"c","kind":"noop"}],
  "edges":[{"from":"a","to":"b"},{"from":"b","to":"c"}]})";

/// A node, and a user of it in a directory of its own.
struct fixture {
  scratch home, here;
  served_node node{home};

  fixture() {
    here.write("twice.json", twice);
    here.write("failing.json", failing);
    here.write("gated.json", gated);
  }

  outcome ask(std::vector<std::string> arguments, const std::string& input = {}) const {
    arguments.insert(arguments.end(), {"--url", node.url()});
    return troupe_with(here, std::move(arguments), input);
  }

  /// The id of a new job.
  std::string submit(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "submit");
    auto made = ask(std::move(arguments));
    INFO(made.err);
    REQUIRE(made.code == 0);
    REQUIRE(made.out.size() == 37);
    return made.out.substr(0, 36);
  }

  std::string state_of(const std::string& id) const {
    return text_at(json_of(ask({"jobs", "get", id, "-o", "json"}).out), "state");
  }
};

/// A port that nobody listens on.
std::string dead_port() {
  auto fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  ::close(fd);
  return std::to_string(ntohs(at.sin_port));
}

const std::string nobody = "01980000-0000-7000-8000-000000000000";

} // namespace

TEST_CASE_METHOD(fixture, "a job is submitted to a node, seen, and its result printed",
                 "[e2e][client]") {
  auto id = submit({"twice.json", "--input", "21", "--queue", "q", "--label", "team=data"});
  auto result = ask({"jobs", "result", id.substr(0, 30), "--wait", "60s"});
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK(result.out == "{\"a\":42}\n");
  CHECK(ask({"jobs", "result", id}).out == result.out);

  auto listed = ask({"jobs", "list", "--label", "team=data", "--queue", "q"});
  CHECK_THAT(listed.out, Contains(id) && Contains("completed") && Contains("twice"));
  CHECK_THAT(ask({"jobs", "list", "--label", "team=other"}).out, !Contains(id));
  CHECK_THAT(ask({"jobs", "list", "--search", "TWI"}).out, Contains(id));
  CHECK_THAT(ask({"jobs", "list", "-q", "nowhere"}).out, !Contains(id));
  CHECK(ask({"jobs", "cancel", "--search", "twi", "--yes"}).out == "cancel: 0 jobs\n"); // It ended.
  auto lines = lines_of(ask({"jobs", "list", "-o", "ndjson"}).out);
  REQUIRE(lines.size() == 1);
  CHECK(text_at(lines[0], "id") == id);

  auto shown = ask({"jobs", "get", id});
  CHECK_THAT(shown.out, Contains("team=data") && Contains("\"a\": 42"));
  auto json = json_of(ask({"jobs", "get", id, "-o", "json"}).out);
  CHECK(text_at(json, "queue") == "q");
  CHECK(*json.find("result") == value{value::object{{"a", 42}}});
}

TEST_CASE_METHOD(fixture, "submit --wait shows the job and ends with its exit code",
                 "[e2e][client]") {
  auto good = ask({"submit", "--wait", "twice.json", "--input", "-"}, "4");
  CHECK(good.code == 0);
  CHECK(good.out == "{\"a\":8}\n");
  CHECK_THAT(good.err, Contains("ok       a") && Contains("completed in"));

  auto bad = ask({"submit", "failing.json", "--wait=60s", "-o", "json"});
  CHECK(bad.code == 1);
  auto told = json_of(bad.out);
  CHECK(text_at(told, "state") == "failed");
  CHECK(text_at((*told.find("failures")->items())[0], "code") == "exit_code");
  CHECK_THAT(bad.err, Contains("error[E0013]") && Contains("bad: exit_code"));
  auto events = ask({"submit", "twice.json", "--wait", "--input", "1", "-o", "ndjson"});
  CHECK(events.code == 0);
  auto lines = lines_of(events.out);
  REQUIRE(lines.size() > 2);
  CHECK(text_at(lines.back(), "event") == "end");
  CHECK(ask({"jobs", "watch", text_at(told, "id")}).code == 1);
  CHECK(ask({"jobs", "result", text_at(told, "id")}).code == 1);
}

TEST_CASE_METHOD(fixture, "a graph that a node refuses is told with its places in the file",
                 "[e2e][client]") {
  here.write("bad.json", R"({"vertices":[{"id":"a","kind":"nonesuch"}]})");
  auto refused = ask({"submit", "bad.json"});
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err, Contains("bad.json: /vertices/0/kind: ") && Contains("error[E0106]"));
  here.write("worse.json", "{");
  CHECK_THAT(ask({"submit", "worse.json"}).err, Contains("error[E0003]"));
  CHECK(ask({"submit", "none.json"}).code == 3);
  auto label = ask({"submit", "twice.json", "--label", "x"});
  CHECK(label.code == 2);
  CHECK(ask({"submit", "twice.json", "--wait", "soon"}).code == 2);
  for (auto wrong : {std::pair{"--queue", "a b"},
                     {"--retention", "5"},
                     {"--expires-in", "0s"},
                     {"--idempotency-key", "a b"}}) {
    auto x = ask({"submit", "twice.json", wrong.first, wrong.second});
    INFO(x.err);
    CHECK(x.code == 2);
    CHECK_THAT(x.err, Contains("error[E0001]: `" + std::string{wrong.second} + "` is no ")
                          && Contains("try: " + std::string{wrong.first} + " "));
  }
}

TEST_CASE_METHOD(fixture, "what is not there is exit code 3", "[e2e][client]") {
  submit({"twice.json", "--input", "1"});
  for (auto verb :
       {"get", "watch", "result", "logs", "cancel", "stop", "pause", "resume", "retry", "remove"})
    for (auto id : {nobody, std::string{"ffff"}, std::string{"no-id"}}) {
      auto x = ask({"jobs", verb, id});
      INFO(verb << " " << id << ": " << x.err);
      CHECK(x.code == 3);
      CHECK_THAT(x.err, Contains(id == nobody ? "error[E0101]" : "error[E0011]")
                            && Contains(" at " + node.url()));
    }
  CHECK(ask({"submit", std::string(64, 'a')}).code == 3);
}

TEST_CASE_METHOD(fixture, "a step that the job's state does not allow is exit code 4",
                 "[e2e][client]") {
  auto id = submit({"gated.json"});
  CHECK(ask({"jobs", "retry", id}).code == 4);
  CHECK(ask({"jobs", "remove", id}).code == 4);
  CHECK(ask({"jobs", "resume", id}).code == 4);
  auto paused = ask({"jobs", "pause", id, "--reason", "a while"});
  CHECK(paused.out == id + "  paused\n");
  CHECK(ask({"jobs", "resume", id}).out == id + "  running\n");
  here.write("x", "");
  CHECK(ask({"jobs", "stop", id}).code == 0);
  REQUIRE(eventually([&] { return state_of(id) == "stopped"; }));
  auto refused = ask({"jobs", "cancel", id, nobody});
  CHECK(refused.code == 4);
  CHECK_THAT(refused.err, Contains("error[E0105]") && Contains("stopped") && Contains("E0101"));
  CHECK_THAT(ask({"jobs", "logs", id, "--all"}).out, Contains("a while"));
  auto key = std::vector<std::string>{"twice.json", "--input", "1", "--idempotency-key", "k"};
  auto first = submit(key);
  CHECK(submit(key) == first);
  auto other = ask({"submit", "twice.json", "--input", "2", "--idempotency-key", "k"});
  CHECK(other.code == 4);
  CHECK_THAT(other.err, Contains("error[E0122]"));
  REQUIRE(eventually([&] { return state_of(first) == "completed"; }));
  REQUIRE(ask({"jobs", "remove", first}).code == 0);
  key.insert(key.begin(), "submit");
  auto gone = ask(key);
  CHECK(gone.code == 0);
  CHECK(gone.out == first + "\n");
  CHECK_THAT(gone.err, Contains("which was deleted since"));
  key.push_back("--wait");
  auto waits = ask(key);
  CHECK(waits.code == 3);
  CHECK_THAT(waits.err, Contains("error[E0101]") && Contains("another key makes a new one"));
}

TEST_CASE("a job that waits for workers is left to a node", "[e2e]") {
  scratch in;
  in.write("w.json", R"({"vertices": [{"id": "mail", "kind": "worker",
                                       "config": {"task": "send"}}]})");
  {
    served_node node{in, {"--allow-kind", "worker"}};
    auto made = troupe_with(in, {"submit", "w.json", "--url", node.url()});
    INFO(made.err);
    REQUIRE(made.code == 0);
    node.send(SIGTERM);
    REQUIRE(node.wait().code == 0);
  }
  auto refused = troupe_with(in, {"run", "--resume"});
  CHECK(refused.code == 2);
  CHECK_THAT(refused.err, Contains("nobody can fetch `mail`"));
  CHECK_THAT(refused.err, Contains("try: troupe serve goes on with it\n"));
  CHECK_THAT(troupe_with(in, {"jobs", "list", "--data", ".troupe"}).out, !Contains("failed"));
}

TEST_CASE("a deep graph goes to a node and comes back", "[e2e]") {
  scratch in;
  std::string lists(62, '['), ends(62, ']');
  in.write("deep.json", R"({"vertices": [{"id": "v", "kind": "noop", "config": {"output": )" + lists
                            + ends + R"(}}], "result": "v"})");
  served_node node{in};
  auto ran = troupe_with(in, {"submit", "deep.json", "--wait", "--url", node.url()});
  INFO(ran.err);
  CHECK(ran.code == 0);
  CHECK(ran.out == lists + ends + "\n");
}

TEST_CASE("a node with keys is exit code 5 without one", "[e2e][client]") {
  scratch home, here;
  here.write("twice.json", twice);
  auto key = troupe_with(home, {"keys", "create"}).out;
  auto viewer = troupe_with(home, {"keys", "create", "--role", "viewer"}).out;
  key.pop_back(), viewer.pop_back();
  served_node node{home};
  auto without = troupe_with(here, {"jobs", "list", "--url", node.url()});
  CHECK(without.code == 5);
  CHECK_THAT(without.err, Contains("error[E0210]") && Contains("TROUPE_TOKEN"));
  auto refused =
      troupe_with(here, {"submit", "twice.json", "--url", node.url(), "--token", viewer});
  CHECK(refused.code == 5);
  CHECK_THAT(refused.err, Contains("error[E0211]"));
  CHECK(refused.err.find(viewer.substr(13)) == std::string::npos);
  variable token{"TROUPE_TOKEN", key}, url{"TROUPE_URL", node.url()};
  CHECK(troupe_with(here, {"submit", "twice.json", "--input", "1"}).code == 0);
  CHECK_THAT(troupe_with(here, {"jobs", "list"}).out, Contains("twice"));
  CHECK(troupe_with(here, {"jobs", "list", "--token", "a\nb"}).code == 2);
}

TEST_CASE("a node with TLS is asked if its certificate is trusted", "[e2e][client]") {
  scratch home;
  auto mine = self_signed(home.path(), "mine");
  process node{home, {"serve", "--port", "0", "--tls-cert", mine.cert, "--tls-key", mine.key}};
  const std::string sign = "troupe: serving https://127.0.0.1:";
  REQUIRE(eventually([&] { return node.err().find(sign) != std::string::npos; }));
  auto text = node.err();
  auto port = std::to_string(std::stoi(text.substr(text.find(sign) + sign.size())));
  std::vector<std::string> list{"jobs", "list", "--url", "https://localhost:" + port};
  auto refused = troupe_with(home, list);
  CHECK(refused.code == 6);
  CHECK_THAT(refused.err,
             Contains("error[E0031]") && Contains("is not trusted") && Contains("--ca-file"));
  list.insert(list.end(), {"--ca-file", mine.cert});
  auto listed = troupe_with(home, list);
  INFO(listed.err);
  CHECK(listed.code == 0);
  CHECK(troupe_with(home, {"jobs", "list", "--url", "http://localhost:" + port}).code != 0);
}

TEST_CASE("a node that is not there is exit code 6, and is named", "[e2e][client]") {
  scratch here;
  here.write("twice.json", twice);
  auto url = "http://127.0.0.1:" + dead_port();
  for (auto& verb : {std::vector<std::string>{"submit", "twice.json", "--wait"},
                     {"jobs", "list"},
                     {"jobs", "watch", nobody},
                     {"jobs", "result", nobody, "--wait"},
                     {"jobs", "cancel", nobody},
                     {"jobs", "logs", nobody, "--follow"},
                     {"graphs", "register", "twice.json"},
                     {"graphs", "list"},
                     {"stats"}}) {
    auto asked = verb;
    asked.insert(asked.end(), {"--url", url});
    auto x = troupe_with(here, asked);
    INFO(x.err);
    CHECK(x.code == 6);
    CHECK_THAT(x.err, Contains("error[E0031]: the node at " + url) && Contains("check --url"));
  }
}

TEST_CASE("a kind that a node does not allow is told with the node's own next step",
          "[e2e][client]") {
  scratch home, here;
  here.write("exec.json", failing);
  process node{home, {"serve", "--port", "0"}};
  auto url = "http://127.0.0.1:" + std::to_string(port_of(node));
  auto refused = troupe_with(here, {"submit", "exec.json", "--url", url});
  INFO(refused.err);
  CHECK(refused.code == 5);
  CHECK_THAT(refused.err, Contains("error[E0214]") && Contains("--allow-kind")
                              && Contains("exec.json: /vertices/0/kind"));
  here.write("wrong.json", R"({"vertices":[{"id":"a","kind":"function","config":{"name":"f"}}]})");
  auto unknown = troupe_with(here, {"graphs", "register", "wrong.json", "--url", url});
  INFO(unknown.err);
  CHECK_THAT(unknown.err, Contains("wrong.json: /vertices/0/"));
}

TEST_CASE_METHOD(fixture, "a label and a job that never began are told as they are",
                 "[e2e][client]") {
  auto wrong = ask({"submit", "twice.json", "--label", "a b=c"});
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.err, Contains("`a b` is no name"));
  std::string late = "{\"graph\":" + twice + ",\"expires_at\":\"2020-01-01T00:00:00Z\"}";
  http_client c{node.port()};
  auto made = c.ask("POST", "/v1/jobs", late);
  REQUIRE(made.status == 201);
  c.ask("GET", "/v1/jobs/" + made.text("id") + "/result?wait=60s");
  auto told = ask({"jobs", "get", made.text("id")});
  INFO(told.out);
  CHECK_THAT(told.out, Contains("expired") && !Contains("took"));
}

TEST_CASE_METHOD(fixture, "what a task was told is shown with it, and cannot steer a terminal",
                 "[e2e][client]") {
  http_client c{node.port()};
  auto made = c.ask("POST", "/api/tasks/submit",
                    R"({"session_id":"s","task_description":"t","llm_profile_name":"p"})");
  REQUIRE(made.status == 200);
  auto id = made.text("task_id");
  CHECK_THAT(ask({"jobs", "get", id}).out, !Contains("message"));
  REQUIRE(c.ask("POST", "/api/tasks/add-new-task", R"({"reason":"and a\u001b[2J taxi"})").status
          == 200);
  CHECK_THAT(ask({"jobs", "get", id}).out,
             Contains("message") && Contains("taxi") && !Contains("\x1b"));
  auto json = json_of(ask({"jobs", "get", id, "-o", "json"}).out);
  REQUIRE(json.find("messages"));
  CHECK(json.find("messages")->items()->size() == 1);
}

TEST_CASE_METHOD(fixture, "what many verbs take may stand before the verb", "[e2e][client]") {
  auto told = troupe_with(here, {"--url", node.url(), "-o", "json", "jobs", "list"});
  INFO(told.err);
  CHECK(told.code == 0);
  CHECK(json_of(told.out).items());
  told = troupe_with(here, {"--url=" + node.url(), "-ojson", "jobs", "list"});
  INFO(told.err);
  CHECK(told.code == 0);
  CHECK(json_of(told.out).items());
  CHECK_THAT(troupe_with(here, {"--help"}).out, Contains("--ca-file FILE, -o FORMAT"));
  auto refused = troupe_with(here, {"--url", node.url(), "version"});
  CHECK(refused.code == 2);
  CHECK_THAT(refused.err, Contains("there is no option `--url`"));
}

TEST_CASE("what is no address of a node is a mistake of the caller", "[e2e][client]") {
  scratch here;
  for (auto url : {"localhost:7700", "ftp://localhost", "http://", "http://u:p@localhost",
                   "http://localhost?x", "file:///etc/passwd"}) {
    auto x = troupe_with(here, {"jobs", "list", "--url", url});
    INFO(url << "\n" << x.err);
    CHECK(x.code == 2);
    CHECK_THAT(x.err, Contains("error[E0030]"));
  }
  CHECK_THAT(troupe_with(here, {"jobs", "list", "--url", "localhost:7700"}).err,
             Contains("http://localhost:7700"));
}

TEST_CASE_METHOD(fixture, "what takes longer than it may is exit code 124, and goes on",
                 "[e2e][client]") {
  auto late = ask({"submit", "gated.json", "--wait=100ms"});
  CHECK(late.code == 124);
  CHECK_THAT(late.err, Contains("error[E0120]") && Contains("troupe jobs watch "));
  auto id = late.err.substr(late.err.find("job ") + 4, 36);
  CHECK(ask({"jobs", "watch", id, "--wait", "50ms"}).code == 124);
  CHECK(ask({"jobs", "result", id, "--wait", "50ms"}).code == 124);
  CHECK(ask({"jobs", "result", id}).code == 124);
  home.write("go", "");
  CHECK(ask({"jobs", "result", id, "--wait"}).out == "{\"c\":null}\n");
}

TEST_CASE_METHOD(fixture, "a bulk act says how many, and wants to be confirmed", "[e2e][client]") {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i)
    ids.push_back(submit({"gated.json", "--queue", i == 0 ? "a" : "b"}));
  auto asked = ask({"jobs", "cancel", "--queue", "b"});
  CHECK(asked.code == 2);
  CHECK_THAT(asked.err, Contains("error[E0023]"));
  CHECK(ask({"jobs", "cancel"}).code == 2);
  CHECK(ask({"jobs", "cancel", ids[0], "--queue", "b", "--yes"}).code == 2);
  CHECK(ask({"jobs", "cancel", "--queue", "b", "--dry-run"}).out == "would cancel 2 jobs\n");
  CHECK(ask({"jobs", "cancel", "--queue", "b", "--yes"}).out == "cancel: 2 jobs\n");
  for (auto i : {1, 2})
    REQUIRE(eventually([&] { return state_of(ids[std::size_t(i)]) == "cancelled"; }));
  CHECK(state_of(ids[0]) == "running");
  CHECK(ask({"jobs", "purge", "--state", "cancelled", "--dry-run"}).out == "would delete 2 jobs\n");
  CHECK(ask({"jobs", "purge", "--state", "cancelled", "--yes"}).code == 0);
  CHECK(ask({"jobs", "get", ids[1]}).code == 3);
  auto typo = ask({"jobs", "stop", "--state", "runing", "--yes"});
  CHECK(typo.code == 2);
  CHECK_THAT(typo.err, Contains("error[E0001]") && Contains("runing"));
  CHECK(ask({"jobs", "purge", "--older-than", "1d", "--queue", "b", "--yes"}).out
        == "deleted 0 jobs\n");
  CHECK(ask({"jobs", "purge", "--older-than", "long", "--yes"}).code == 2);
  CHECK(ask({"jobs", "stop", "--search", "NOBODY", "--dry-run"}).out == "would stop 0 jobs\n");
  CHECK(ask({"jobs", "stop", "--search", ids[0], "--yes"}).out == "stop: 1 job\n");
  REQUIRE(eventually([&] { return state_of(ids[0]) == "stopped"; }));
  CHECK_THAT(ask({"jobs", "list", "--older-than", "0s"}).out, Contains(ids[0]));
  CHECK_THAT(ask({"jobs", "list", "--older-than", "1d"}).out, !Contains(ids[0]));
  CHECK(ask({"jobs", "retry", "-q", ids[0], "--state", "stopped", "--dry-run"}).out
        == "would retry 1 job\n");
  CHECK(ask({"jobs", "purge", "-q", ids[0], "--older-than", "0s", "--yes"}).out
        == "deleted 1 job\n");
  auto ended = ask({"jobs", "cancel", "--state", "stopped", "--dry-run"});
  CHECK(ended.code == 2);
  CHECK_THAT(ended.err, Contains("error[E0001]: jobs that are stopped have ended"));
  auto running = ask({"jobs", "purge", "--state", "running", "--yes"});
  CHECK(running.code == 2);
  CHECK_THAT(running.err, Contains("error[E0001]") && Contains("have not ended"));
  CHECK_THAT(ask({"jobs", "purge", "--yes"}).err,
             Contains("--older-than") && !Contains("takes ids"));
  CHECK_THAT(ask({"jobs", "remove"}).err, Contains("it takes ids\n"));
}

TEST_CASE_METHOD(fixture, "a bulk act that is refused is exit code 4, as by id", "[e2e][client]") {
  auto id = submit({"twice.json", "--input", "1"});
  CHECK(ask({"jobs", "watch", id}).code == 0);
  auto runs = submit({"gated.json"});
  REQUIRE(eventually([&] { return state_of(runs) == "running"; }));
  auto by_state = ask({"jobs", "resume", "--state", "running", "--yes"});
  CHECK(by_state.code == 4);
  CHECK(by_state.out == "resume: 0 jobs, 1 refused\n");
  CHECK_THAT(by_state.err, Contains("error[E0105]: 1 job was refused"));
  CHECK(ask({"jobs", "cancel", id}).code == 4);
  CHECK(ask({"jobs", "resume", "--state", "running", "--dry-run"}).code == 0);
  CHECK(ask({"jobs", "stop", runs}).code == 0);
  auto removed = ask({"jobs", "remove", id, "-o", "json"});
  CHECK(json_of(removed.out) == value{value::object{{"id", id}, {"removed", true}}});
}

TEST_CASE_METHOD(fixture, "a list that is cut says so", "[e2e][client]") {
  for (auto input : {"1", "2", "3"})
    submit({"twice.json", "--input", input});
  for (auto how : {"table", "json", "ndjson"}) {
    auto cut = ask({"jobs", "list", "--limit", "2", "-o", how});
    CHECK_THAT(cut.err, Contains("note: there are more jobs; --limit N shows them"));
    CHECK(ask({"jobs", "list", "--limit", "3", "-o", how}).err.empty());
  }
  CHECK(lines_of(ask({"jobs", "list", "--limit", "2", "-o", "ndjson"}).out).size() == 2);
  auto data = (home.path() / ".troupe").string();
  auto there = troupe_with(here, {"jobs", "list", "--data", data, "--limit", "2", "-o", "ndjson"});
  CHECK(lines_of(there.out).size() == 2);
  CHECK_THAT(there.err, Contains("there are more jobs"));
  CHECK(ask({"graphs", "list", "--limit", "1"}).err.empty());
}

TEST_CASE_METHOD(fixture, "an id that is empty or short changes nothing", "[e2e][client]") {
  auto id = submit({"gated.json"});
  for (auto text : {std::string{}, id.substr(0, 3)}) {
    auto x = ask({"jobs", "stop", text});
    INFO(x.err);
    CHECK(x.code == 2);
    CHECK_THAT(x.err,
               Contains("error[E0001]") && Contains(text.empty() ? "is empty" : "is too short"));
  }
  CHECK(state_of(id) == "running");
  for (auto& where : {std::vector<std::string>{"--url", node.url()},
                      {"--data", (home.path() / ".troupe").string()}}) {
    auto asked = std::vector<std::string>{"jobs", "get", ""};
    asked.insert(asked.end(), where.begin(), where.end());
    auto x = troupe_with(here, asked);
    CHECK(x.code == 2);
    CHECK_THAT(x.err, Contains("the id is empty"));
  }
  CHECK(ask({"jobs", "stop", id.substr(0, 4)}).code == 0);
}

TEST_CASE_METHOD(fixture, "a watch tells how long the job took, and what get tells",
                 "[e2e][client]") {
  here.write("slow.json", R"({"vertices":[{"id":"a","kind":"delay","config":{"for":"1200ms"}}]})");
  auto id = submit({"slow.json"});
  CHECK(ask({"jobs", "result", id, "--wait"}).code == 0);
  auto late = ask({"jobs", "watch", id}); // All of it is over.
  CHECK(late.code == 0);
  CHECK_THAT(late.err, Contains("completed in 1."));
  auto stopped = submit({"gated.json"});
  REQUIRE(eventually([&] {
    return ask({"jobs", "logs", stopped, "--all"}).out.find("vertex_start") != std::string::npos;
  }));
  CHECK(ask({"jobs", "stop", stopped}).code == 0);
  CHECK_THAT(ask({"jobs", "watch", stopped}).err, Contains("1 succeeded, 2 cancelled"));
  CHECK_THAT(ask({"jobs", "get", stopped}).out, Contains("1 succeeded, 2 cancelled"));
}

TEST_CASE_METHOD(fixture, "all events are told with their numbers", "[e2e][client]") {
  auto id = submit({"twice.json", "--input", "1"});
  CHECK(ask({"jobs", "watch", id}).code == 0);
  CHECK(ask({"jobs", "logs", id, "--all"}).out.starts_with("1  2"));
  auto data = (home.path() / ".troupe").string();
  CHECK_THAT(troupe_with(here, {"jobs", "logs", id, "--all", "--data", data}).out,
             Contains("\n2  2"));
}

TEST_CASE_METHOD(fixture, "who waits for a result and gives up is told how to go on",
                 "[e2e][client]") {
  auto id = submit({"gated.json"});
  process wait{here, {"jobs", "result", id, "--wait", "--url", node.url()}};
  auto caught = [&] { // Not before the program waits.
    auto status = read_file("/proc/" + std::to_string(wait.id()) + "/status");
    auto at = status.find("SigCgt:");
    return status.starts_with("Name:\ttroupe") && at != status.npos
           && (std::stoull(status.substr(at + 8, 17), nullptr, 16) & 2) != 0;
  };
  REQUIRE(eventually(caught));
  wait.send(SIGINT);
  auto x = wait.wait();
  CHECK(x.code == 130);
  CHECK_THAT(x.err, Contains("the job goes on; `troupe jobs result " + id + " --wait`")
                        && !Contains("troupe run"));
}

TEST_CASE_METHOD(fixture, "a list has no counts that nobody has counted", "[e2e][client]") {
  auto id = submit({"gated.json"});
  auto data = (home.path() / ".troupe").string();
  for (auto& where : {std::vector<std::string>{"--url", node.url()}, {"--data", data}}) {
    auto asked = std::vector<std::string>{"jobs", "list", "-o", "ndjson"};
    asked.insert(asked.end(), where.begin(), where.end());
    auto lines = lines_of(troupe_with(here, asked).out);
    REQUIRE(lines.size() == 1);
    CHECK(text_at(lines[0], "id") == id);
    CHECK_FALSE(lines[0].find("events"));
    CHECK_FALSE(lines[0].find("progress"));
  }
}

TEST_CASE_METHOD(fixture, "what a node refuses is said once", "[e2e][client]") {
  auto x = ask({"submit", "twice.json", "--label", "a=" + std::string(5000, 'x')});
  CHECK(x.code == 1);
  auto said = x.err.find("the request is not valid");
  REQUIRE(said != x.err.npos);
  CHECK(x.err.find("the request is not valid", said + 1) == x.err.npos);
}

TEST_CASE_METHOD(fixture, "a job that has failed is retried, and removed", "[e2e][client]") {
  auto id = submit({"failing.json"});
  CHECK(ask({"jobs", "watch", id}).code == 1);
  auto again = ask({"jobs", "retry", id, "--from", "bad"});
  INFO(again.err);
  REQUIRE(again.code == 0);
  auto second = again.out.substr(0, 36);
  CHECK(second != id);
  CHECK(ask({"jobs", "watch", second}).code == 1);
  CHECK_THAT(ask({"jobs", "get", second}).out, Contains("retry of") && Contains(id));
  CHECK_THAT(ask({"jobs", "logs", second}).out, Contains("bad | why") && Contains("exit_code"));
  CHECK(ask({"jobs", "retry", id, "--from", "none"}).code != 0);
  CHECK(ask({"jobs", "remove", id}).out == id + "  removed\n");
  CHECK(ask({"jobs", "remove", id}).code == 3);
}

TEST_CASE_METHOD(fixture, "a graph is registered, and jobs are made of its id", "[e2e][client]") {
  auto made = ask({"graphs", "register", "twice.json"});
  INFO(made.err);
  REQUIRE(made.code == 0);
  REQUIRE(made.out.size() == 65);
  auto job = ask({"submit", made.out.substr(0, 64), "--input", "3", "--wait"});
  CHECK(job.out == "{\"a\":6}\n");
  CHECK_THAT(ask({"graphs", "list"}).out, Contains("VERTICES") && Contains(made.out.substr(0, 64)));
  CHECK(json_of(ask({"graphs", "list", "-o", "json"}).out).items()->size() == 1);
  CHECK(ask({"graphs", "list", "--limit", "0"}).code == 2);
  CHECK_THAT(ask({"stats"}).out, Contains("default") && Contains("completed"));
  CHECK(json_of(ask({"stats", "-o", "json"}).out).find("queues"));
}

TEST_CASE_METHOD(fixture, "a verb looks where it is told, else into ./.troupe, else at the node",
                 "[e2e][client]") {
  auto remote = submit({"twice.json", "--input", "1"});
  scratch other;
  other.write("twice.json", twice);
  auto dead = "http://127.0.0.1:" + dead_port();
  {
    variable url{"TROUPE_URL", node.url()};
    CHECK_THAT(troupe_with(other, {"jobs", "list"}).out, Contains(remote));
    REQUIRE(troupe_with(other, {"run", "twice.json", "--input", "1"}).code == 0);
    auto local = troupe_with(other, {"jobs", "list", "--data", ".troupe"}).out;
    CHECK(troupe_with(other, {"jobs", "list", "--data", ".troupe", "-q", "Twice"}).out == local);
    CHECK(troupe_with(other, {"jobs", "list", "--data", ".troupe", "-q", "thrice"}).out != local);
    CHECK_THAT(local, Contains("twice") && !Contains(remote));
    CHECK_THAT(troupe_with(other, {"jobs", "list"}).out, Contains(remote));
  }
  auto guessed = troupe_with(other, {"jobs", "list"});
  CHECK(guessed.code == 0);
  CHECK_THAT(guessed.out, !Contains(remote));
  auto missing = troupe_with(other, {"jobs", "get", remote});
  CHECK(missing.code == 3);
  CHECK_THAT(missing.err, Contains("looked into ./.troupe") && Contains("--url"));
  CHECK(troupe_with(other, {"jobs", "list", "--url", dead}).code == 6);
  auto both = troupe_with(other, {"jobs", "list", "--url", dead, "--data", ".troupe"});
  CHECK(both.code == 2);
}

TEST_CASE_METHOD(fixture, "logs of a node are followed up to the job's end", "[e2e][client]") {
  auto id = submit({"gated.json"});
  process follower{here, {"jobs", "logs", id, "--follow", "--all", "--url", node.url()}};
  REQUIRE(eventually([&] { return follower.out().find("vertex_start") != std::string::npos; }));
  auto now = ask({"jobs", "logs", id, "--all", "-o", "ndjson"}); // Does not wait.
  CHECK(now.code == 0);
  CHECK(count(lines_of(now.out), "end") == 0);
  home.write("go", "");
  auto ended = follower.wait();
  CHECK(ended.code == 0);
  CHECK_THAT(ended.out, Contains("end  {"));
  auto events = ask({"jobs", "logs", id, "--all", "-o", "json"});
  CHECK(gapless(*json_of(events.out).items()));
}

TEST_CASE_METHOD(fixture, "a watch ends in order when it is interrupted", "[e2e][client]") {
  auto id = submit({"gated.json"});
  process watch{here, {"jobs", "watch", id, "--url", node.url()}};
  REQUIRE(eventually([&] { return watch.err().find("start    b") != std::string::npos; }));
  watch.send(SIGINT);
  auto ended = watch.wait();
  CHECK(ended.code == 130);
  CHECK_THAT(ended.err, Contains("the job goes on"));
  CHECK(state_of(id) == "running");
}

TEST_CASE("a watch goes on while its node is killed and started again", "[e2e][client]") {
  scratch home, here;
  here.write("gated.json", gated);
  auto port = dead_port();
  std::string id, url = "http://127.0.0.1:" + port;
  auto first = std::make_unique<served_node>(home, std::vector<std::string>{}, port);
  auto made = troupe_with(here, {"submit", "gated.json", "--url", url});
  REQUIRE(made.code == 0);
  id = made.out.substr(0, 36);
  process lines{here, {"jobs", "watch", id, "--url", url}};
  process raw{here, {"jobs", "watch", id, "--url", url, "-o", "ndjson"}};
  REQUIRE(eventually([&] { return lines.err().find("start    b") != std::string::npos; }));
  REQUIRE(eventually([&] { return count(lines_of(raw.out()), "vertex_start", "b") > 0; }));
  first->send(SIGKILL);
  first->wait();
  REQUIRE(eventually([&] { return lines.err().find("the node is gone") != std::string::npos; }));
  home.write("go", "");
  served_node second{home, {}, port};
  auto ended = lines.wait(), all = raw.wait();
  CHECK(ended.code == 0);
  CHECK_THAT(ended.err, Contains("the node is back") && Contains("completed in"));
  CHECK(all.code == 0);
  CHECK(gapless(lines_of(all.out)));
}

TEST_CASE_METHOD(fixture, "a watch draws on a terminal", "[e2e][client]") {
  home.write("go", "");
  auto id = submit({"gated.json"});
  auto shown = terminal_with(here, {"jobs", "watch", id, "--url", node.url()});
  CHECK_THAT(shown, Contains("3 succeeded"));
}
