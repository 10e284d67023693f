#include "storage/sha256.hpp"
#include "tests/support/http_node.hpp"

#include <set>

using namespace troupe;
using tests::http_client;
using tests::http_node;
using tests::http_reply;

namespace {

const std::string nobody = "0198c0de-0000-7000-8000-000000000001";
const std::string no_hash(64, '0');
const std::string noop = R"({"graph":{"name":"hush","vertices":[{"id":"a","kind":"noop"}]},)"
                         R"("labels":{"team":"hush"}})";
const std::string slow =
    R"({"graph":{"name":"hush","vertices":[{"id":"a","kind":"delay","config":{"for":"1h"}}]},)"
    R"("labels":{"team":"hush"}})";
const std::string labour =
    R"({"queue":"hush","graph":{"vertices":[{"id":"a","kind":"worker","config":{"task":"t"}}]}})";
const std::string task = R"({"session_id":"hush","task_description":"x","llm_profile_name":"p"})";
const std::string keyed = "Idempotency-Key: hush\r\n";

std::string text_in(const value& x, std::string_view key) {
  auto found = x.find(key);
  return found && found->string() ? *found->string() : "";
}

const value& list_in(const value& x, std::string_view key) {
  auto found = x.find(key);
  REQUIRE(found);
  REQUIRE(found->items());
  return *found;
}

bool is_empty(const http_reply& x, std::string_view key) {
  return x.status == 200 && list_in(x.json(), key).items()->empty();
}

void replace_all(std::string& in, const std::string& what, const std::string& with) {
  for (auto at = in.find(what); at != in.npos; at = in.find(what, at + with.size()))
    in.replace(at, what.size(), with);
}

std::string with_token(const std::string& token, const std::string& more) {
  return R"({"token":")" + token + "\"" + more + "}";
}

/// A node whose key `one` opens the first namespace, which has something of everything, and whose
/// key `two` opens the second one, which has nothing.
struct two_namespaces : http_node {
  two_namespaces()
      : http_node(
          in_memory(),
          [](http::api_parts& parts) { parts.metrics = [](auto) { return "up 1\n"; }; },
          [](http::http_options& options) {
            options.authenticate = [](std::string_view key) -> result<http::principal> {
              return http::principal{"", "", key == "two" ? namespace_id{2} : namespace_id{1},
                                     http::role::admin};
            };
          }) {
    running = one("POST", "/v1/jobs", slow, keyed).text("id");
    ended = one("POST", "/v1/jobs", noop).text("id");
    REQUIRE(one("GET", "/v1/jobs/" + ended + "/result?wait=60s").status == 200);
    graph = text_in(one("GET", "/v1/jobs/" + ended).json(), "graph");
    REQUIRE(one("PUT", "/v1/blobs/" + blob(), content(), octets).status == 201);
    one("POST", "/v1/jobs", labour);
    auto got = one("POST", "/v1/work:fetch", R"({"queues":["hush"],"wait":"60s"})").json();
    token = text_in(list_in(got, "work").items()->at(0), "token");
    one("POST", "/v1/jobs", labour); // And one that waits for its worker.
    task_id = one("POST", "/api/tasks/submit", task).text("task_id");
    REQUIRE_FALSE(task_id.empty());
    REQUIRE_FALSE(token.empty());
  }

  http_reply one(const std::string& method, const std::string& target, const std::string& body = {},
                 const std::string& fields = {}) {
    return with_key("one", method, target, body, fields);
  }
  http_reply two(const std::string& method, const std::string& target, const std::string& body = {},
                 const std::string& fields = {}) {
    return with_key("two", method, target, body, fields);
  }
  http_reply with_key(const std::string& key, const std::string& method, const std::string& target,
                      const std::string& body, const std::string& fields) {
    http_client c{server->port()}; // One that was refused with a body unread is closed.
    return c.ask(method, target, body, "Authorization: Bearer " + key + "\r\n" + fields);
  }

  /// What is there for the second namespace is told as what is not there at all: not that either.
  void told_as_missing(const std::string& there, const std::string& missing,
                       const std::string& method, const std::string& target,
                       const std::string& body = {}, const std::string& fields = {},
                       int status = 404) {
    auto other_target = target, other_body = body;
    replace_all(other_target, there, missing);
    replace_all(other_body, there, missing);
    auto got = two(method, target, body, fields);
    auto other = two(method, other_target, other_body, fields);
    INFO(method << " " << target << " " << body << ": " << got.body);
    CHECK(got.status == status);
    CHECK(other.status == status);
    replace_all(got.body, there, missing);
    CHECK(got.body == other.body);
  }
  void no_job(const std::string& method, const std::string& before, const std::string& behind,
              const std::string& body = {}) {
    for (auto& id : {running, ended, task_id})
      told_as_missing(id, nobody, method, before + id + behind, body);
  }

  /// All that the first namespace sees of its jobs.
  std::string all_of_one() {
    std::string all = one("GET", "/v1/jobs?limit=1000").body + one("GET", "/v1/stats").body
                      + one("GET", "/v1/graphs").body + one("GET", "/api/tasks").body;
    for (auto& id : {running, ended, task_id})
      all += one("GET", "/v1/jobs/" + id).body + one("GET", "/v1/jobs/" + id + "/vertices").body;
    return all;
  }

  static std::string content() { return std::string(100'000, 'h'); }
  static std::string blob() {
    auto text = content();
    return storage::to_hex(
        storage::sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
  }

  inline static const std::string octets = "Content-Type: application/octet-stream\r\n";
  inline static const std::string lines = "Content-Type: application/x-ndjson\r\n";
  std::string running, ended, graph, token, task_id;
};

using check_of_route = std::function<void(two_namespaces&)>;
using checks = std::map<std::string, check_of_route>;

/// A route of one job.
check_of_route job(const std::string& method, const std::string& behind,
                   const std::string& before = "/v1/jobs/") {
  return [=](two_namespaces& x) { x.no_job(method, before, behind); };
}

/// A route that acts on all jobs of a filter.
check_of_route bulk(const std::string& verb) {
  return [=](two_namespaces& x) {
    auto got = x.two("POST", "/v1/jobs:" + verb + "?label=team%3Dhush");
    CHECK(got.status == 200);
    CHECK(*got.json().find("jobs") == value{0});
    CHECK(*got.json().find("refused") == value{0});
  };
}

void list_jobs(two_namespaces& x) {
  for (auto query : {"", "?state=unfinished", "?label=team%3Dhush", "?queue=hush", "?q=hush"})
    CHECK(is_empty(x.two("GET", std::string{"/v1/jobs"} + query), "jobs"));
  auto next = text_in(x.one("GET", "/v1/jobs?limit=1").json(), "next");
  REQUIRE_FALSE(next.empty());
  CHECK(is_empty(x.two("GET", "/v1/jobs?cursor=" + next), "jobs"));
}

void submit(two_namespaces& x) {
  x.told_as_missing(x.graph, no_hash, "POST", "/v1/jobs", R"({"graph":")" + x.graph + "\"}");
  CHECK(x.two("POST", "/v1/jobs", slow, keyed).status == 201); // The same key is another one here.
}

void submit_batch(two_namespaces& x) {
  auto keyed_line = slow.substr(0, slow.size() - 1) + R"(,"idempotency_key":"hush"})";
  auto got = x.two("POST", "/v1/jobs:batch",
                   R"({"graph":")" + x.graph + "\"}\n" + keyed_line + "\n", x.lines);
  CHECK(got.body.find(R"("status":404)") != got.body.npos);
  CHECK(got.body.find(x.running) == got.body.npos);
}

void read_stats(two_namespaces& x) { CHECK(is_empty(x.two("GET", "/v1/stats"), "queues")); }

void list_graphs(two_namespaces& x) { CHECK(is_empty(x.two("GET", "/v1/graphs"), "graphs")); }

void get_graph(two_namespaces& x) {
  x.told_as_missing(x.graph, no_hash, "GET", "/v1/graphs/" + x.graph);
}

/// The first one's graph is made anew, as what nobody has.
void add_graph(two_namespaces& x) {
  auto spec = x.one("GET", "/v1/graphs/" + x.graph).body;
  CHECK(x.two("POST", "/v1/graphs", spec).status == 201);
}

void get_blob(two_namespaces& x) {
  for (auto accept : {"", "Accept: application/json\r\n"})
    for (auto& hash : {x.blob(), x.graph})
      x.told_as_missing(hash, no_hash, "GET", "/v1/blobs/" + hash, {}, accept);
}

void put_blob(two_namespaces& x) {
  CHECK(x.two("PUT", "/v1/blobs/" + x.blob(), x.content(), x.octets).status == 201);
}

void fetch(two_namespaces& x) {
  CHECK(is_empty(x.two("POST", "/v1/work:fetch", R"({"queues":["hush","tasks"]})"), "work"));
}

void heartbeat(two_namespaces& x) {
  auto got = x.two("POST", "/v1/work:heartbeat", R"({"tokens":[")" + x.token + "\"]}").json();
  CHECK(text_in(list_in(got, "leases").items()->at(0), "state") == "lost");
}

/// A route that reports on an attempt: its token says no more than one of a job that is not there.
check_of_route report(const std::string& verb, const std::string& more) {
  return [=](two_namespaces& x) {
    auto id = x.token.substr(5, nobody.size()); // `w1.1.JOB.VERTEX.PROOF`
    x.told_as_missing(id, nobody, "POST", "/v1/work:" + verb, with_token(x.token, more));
  };
}

void build_flow(two_namespaces& x) {
  x.told_as_missing(x.graph, no_hash, "POST", "/api/v1/build/" + x.graph + "/flow", "{}");
}

void task_status(two_namespaces& x) {
  for (auto path : {"/api/tasks/status", "/api/tasks/detailed-status"})
    CHECK(*x.two("GET", path).json().find("has_active_task") == value{false});
}

check_of_route step_of_task(const std::string& verb) {
  return [=](two_namespaces& x) {
    CHECK(x.two("POST", "/api/tasks/" + verb, R"({"reason":"x"})").text("code") == "no_task");
  };
}

void list_tasks(two_namespaces& x) {
  for (auto query : {"", "?session_id=hush", "?status=pending"})
    CHECK(is_empty(x.two("GET", std::string{"/api/tasks"} + query), "tasks"));
}

void submit_task(two_namespaces& x) { // The task of the first one does not make it wait.
  auto got = x.two("POST", "/api/tasks/submit", task);
  CHECK(*got.json().find("success") == value{true});
  CHECK(got.body.find(x.task_id) == got.body.npos);
}

/// A route that tells of no namespace.
check_of_route common(const std::string& path) {
  return [=](two_namespaces& x) {
    auto got = x.two("GET", path);
    CHECK(got.status == 200);
    for (auto& secret : {x.running, x.ended, x.task_id, x.graph, x.token})
      CHECK(got.body.find(secret) == got.body.npos);
  };
}

/// A node without a file of keys has none to show.
check_of_route no_keys(const std::string& method, const std::string& path,
                       const std::string& body = {}) {
  return [=](two_namespaces& x) { CHECK(x.two(method, path, body).status == 404); };
}

/// What the second namespace is told by each route, in an order that has those that make something
/// last.
std::vector<checks> all_checks() {
  return {{{"GET /v1/jobs", list_jobs},
           {"GET /v1/jobs/{job}", job("GET", "")},
           {"GET /v1/jobs/{job}/result", job("GET", "/result?wait=1s")},
           {"GET /v1/jobs/{job}/vertices", job("GET", "/vertices")},
           {"GET /v1/jobs/{job}/events", job("GET", "/events?on_disconnect=cancel")},
           {"DELETE /v1/jobs/{job}", job("DELETE", "")},
           {"POST /v1/jobs/{job}:cancel", job("POST", ":cancel")},
           {"POST /v1/jobs/{job}:stop", job("POST", ":stop")},
           {"POST /v1/jobs/{job}:pause", job("POST", ":pause")},
           {"POST /v1/jobs/{job}:resume", job("POST", ":resume")},
           {"POST /v1/jobs/{job}:retry", job("POST", ":retry")},
           {"POST /v1/jobs:cancel", bulk("cancel")},
           {"POST /v1/jobs:stop", bulk("stop")},
           {"POST /v1/jobs:pause", bulk("pause")},
           {"POST /v1/jobs:resume", bulk("resume")},
           {"POST /v1/jobs:retry", bulk("retry")},
           {"POST /v1/jobs:purge", bulk("purge")},
           {"GET /v1/stats", read_stats},
           {"GET /v1/graphs", list_graphs},
           {"GET /v1/graphs/{graph}", get_graph},
           {"GET /v1/blobs/{hash}", get_blob},
           {"POST /v1/work:fetch", fetch},
           {"POST /v1/work:heartbeat", heartbeat},
           {"POST /v1/work:complete", report("complete", R"(,"output":1)")},
           {"POST /v1/work:fail", report("fail", R"(,"error":{"code":"x","detail":"y"})")},
           {"POST /v1/work:emit", report("emit", R"(,"sequence":1,"text":"y")")},
           {"POST /api/v1/build/{flow}/flow", build_flow},
           {"GET /api/v1/build/{job}/events", job("GET", "/events", "/api/v1/build/")},
           {"POST /api/v1/build/{job}/cancel", job("POST", "/cancel", "/api/v1/build/")},
           {"GET /api/tasks/status", task_status},
           {"GET /api/tasks/detailed-status", task_status},
           {"GET /api/tasks", list_tasks},
           {"GET /api/tasks/{job}", job("GET", "", "/api/tasks/")},
           {"POST /api/tasks/pause", step_of_task("pause")},
           {"POST /api/tasks/resume", step_of_task("resume")},
           {"POST /api/tasks/stop", step_of_task("stop")},
           {"GET /api/tasks/statuses", common("/api/tasks/statuses")},
           {"POST /api/tasks/add-new-task", step_of_task("add-new-task")},
           {"GET /v1/keys", no_keys("GET", "/v1/keys")},
           {"POST /v1/keys", no_keys("POST", "/v1/keys", R"({"role":"viewer"})")},
           {"DELETE /v1/keys/{key}", no_keys("DELETE", "/v1/keys/1a2b3c4d")},
           {"GET /livez", common("/livez")},
           {"GET /readyz", common("/readyz?verbose")},
           {"GET /metrics", common("/metrics")},
           {"GET /v1/openapi.json", common("/v1/openapi.json")}},
          {{"POST /v1/jobs", submit},
           {"POST /v1/jobs:batch", submit_batch},
           {"PUT /v1/blobs/{hash}", put_blob},
           {"POST /api/tasks/submit", submit_task}},
          {{"POST /v1/graphs", add_graph}}};
}

} // namespace

TEST_CASE_METHOD(two_namespaces, "a key sees nothing of another namespace, by no route",
                 "[http][api][namespaces]") {
  std::set<std::string> there, tried;
  for (auto& x : http::api_routes(api))
    there.insert(x.method + " " + x.path);
  auto before = all_of_one();
  for (auto& part : all_checks())
    for (auto& [name, check] : part)
      if (there.contains(name)) {
        INFO(name);
        check(*this);
        CHECK(tried.insert(name).second);
      }
  CHECK(tried == there);         // A new route has to be tried, too.
  CHECK(all_of_one() == before); // Nor has it changed anything.
  auto mine = one("POST", "/v1/work:complete", with_token(token, R"(,"output":1)"));
  CHECK(mine.status == 204);
  CHECK(one("POST", "/v1/jobs", slow, keyed).text("id") == running);
}
