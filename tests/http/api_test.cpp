#include "node/http/bulk_run.hpp"
#include "node/http/openapi.hpp"
#include "tests/support/http_node.hpp"

#include <future>
#include <latch>
#include <set>
#include <sstream>
#include <thread>

using namespace troupe;
using namespace troupe::http;
using tests::http_client;
using tests::http_reply;
using node_fixture = tests::http_node;

namespace {

const std::string noop = R"({"graph":{"name":"g","vertices":[{"id":"a","kind":"noop"}]}})";
const std::string sleeper =
    R"({"graph":{"vertices":[{"id":"a","kind":"delay","config":{"for":"1h"}}]}})";
const std::string failing = R"j({"graph":{"vertices":[{"id":"a","kind":"noop"},)j"
                            R"j({"id":"b","kind":"jq","config":{"program":"error(\"no\")"}}]}})j";
const std::string ndjson = "Content-Type: application/x-ndjson\r\n";
const std::string nobody = "/v1/jobs/0198c0de-0000-7000-8000-000000000001";

/// Keeps all threads of a pool busy.
class held_pool {
public:
  explicit held_pool(work_pool& pool) {
    auto begun = std::make_shared<std::latch>(limits::http_work_threads);
    for (unsigned i = 0; i < limits::http_work_threads; ++i)
      pool.post(
          [begun, until = until_] {
            begun->count_down();
            until.wait();
          },
          true);
    begun->wait();
  }
  ~held_pool() { let_go(); }
  void let_go() {
    if (!std::exchange(gone_, true))
      go_.set_value();
  }

private:
  std::promise<void> go_;
  std::shared_future<void> until_ = go_.get_future().share();
  bool gone_ = false;
};

std::vector<value> lines_of(const std::string& text) {
  auto parsed = graph_json::parse_ndjson(text);
  REQUIRE(parsed);
  return *parsed;
}

std::int64_t number_of(const value& x, std::string_view key) {
  auto found = x.find(key);
  return found && found->integer() ? *found->integer() : -1;
}

/// A piece of a chunked body.
std::string chunk_of(const std::string& text) {
  std::ostringstream size;
  size << std::hex << text.size();
  return size.str() + "\r\n" + text + "\r\n";
}

std::string text_of(const value& x, std::string_view key) {
  auto found = x.find(key);
  return found && found->string() ? *found->string() : "";
}

/// The numbers of an SSE text's events.
std::vector<std::string> ids_of(const std::string& sse) {
  std::vector<std::string> ids;
  for (auto at = sse.find("id: "); at != sse.npos; at = sse.find("\nid: ", at)) {
    at = sse.find(' ', at) + 1;
    ids.push_back(sse.substr(at, sse.find('\n', at) - at));
  }
  return ids;
}

} // namespace

TEST_CASE_METHOD(node_fixture, "a job is made, and can be got, waited for and listed",
                 "[http][api]") {
  auto made = ask("POST", "/v1/jobs", noop);
  REQUIRE(made.status == 201);
  auto id = made.text("id");
  CHECK(made.fields["location"] == "/v1/jobs/" + id);
  CHECK(made.text("state") == "pending");
  auto done = ask("GET", "/v1/jobs/" + id + "/result?wait=60s");
  CHECK(done.status == 200);
  CHECK(done.text("state") == "completed");
  CHECK(done.json().find("result")->members()->contains("a"));
  auto got = ask("GET", "/v1/jobs/" + id);
  CHECK(got.text("created_at") == made.text("created_at"));
  CHECK(got.text("graph_name") == "g");
  auto listed = ask("GET", "/v1/jobs?state=completed");
  CHECK(text_of(listed.json().find("jobs")->items()->at(0), "id") == id);
  auto vertices = ask("GET", "/v1/jobs/" + id + "/vertices");
  CHECK(text_of(vertices.json().find("vertices")->items()->at(0), "state") == "succeeded");
  CHECK(ask("DELETE", "/v1/jobs/" + id).status == 204);
  CHECK(ask("GET", "/v1/jobs/" + id).status == 404);
}

TEST_CASE_METHOD(node_fixture, "a job that comes too late has expired", "[http][api]") {
  auto body = [](const std::string& more) {
    return R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]},)" + more + "}";
  };
  auto late = ask("POST", "/v1/jobs", body(R"("expires_at":"2020-01-31T12:00:00Z")"));
  REQUIRE(late.status == 201);
  CHECK(late.text("expires_at") == "2020-01-31T12:00:00.000Z");
  auto ended = ask("GET", "/v1/jobs/" + late.text("id") + "/result?wait=60s");
  CHECK(ended.text("state") == "failed");
  CHECK(text_of(*ended.json().find("error"), "code") == "expired");
  CHECK(ended.text("started_at").empty());
  auto early = ask("POST", "/v1/jobs", body(R"("expires_in":"1h")"));
  CHECK(early.text("expires_at") > early.text("created_at"));
  auto done = ask("GET", "/v1/jobs/" + early.text("id") + "/result?wait=60s");
  CHECK(done.text("state") == "completed");
  CHECK(done.text("expires_at") == early.text("expires_at"));
  CHECK(ask("POST", "/v1/jobs", body(R"("expires_in":"0s")")).status == 422);
  auto both = body(R"("expires_in":"1h","expires_at":"2100-01-01T00:00:00Z")");
  CHECK(ask("POST", "/v1/jobs", both).status == 422);
}

TEST_CASE_METHOD(node_fixture, "a graph that is sent for a job is told as that", "[http][api]") {
  auto bare = ask("POST", "/v1/jobs", R"({"vertices":[{"id":"a","kind":"noop"}],"edges":[]})");
  CHECK(bare.status == 422);
  auto problem = bare.json();
  auto& errors = *problem.find("errors")->items();
  REQUIRE(errors.size() == 1);
  CHECK(text_of(errors[0], "detail").starts_with("this looks like a graph"));
}

TEST_CASE_METHOD(node_fixture, "a graph can be registered and named", "[http][api]") {
  auto made = ask("POST", "/v1/graphs", R"({"vertices":[{"id":"a","kind":"noop"}]})");
  REQUIRE(made.status == 201);
  auto id = made.text("id");
  CHECK(ask("GET", "/v1/graphs/" + id).json().find("vertices"));
  CHECK(ask("POST", "/v1/jobs", R"({"graph":")" + id + "\"}").status == 201);
  auto unknown = ask("POST", "/v1/jobs", R"({"graph":")" + std::string(64, '0') + "\"}");
  CHECK(unknown.status == 404);
  CHECK(unknown.text("code") == "no_such_graph");
}

TEST_CASE_METHOD(node_fixture, "a key makes a job once", "[http][api][keys]") {
  const std::string key = "Idempotency-Key: \"k1\"\r\n", bare = "Idempotency-Key: k1\r\n";
  auto first = ask("POST", "/v1/jobs", noop, key);
  CHECK(first.status == 201);
  CHECK_FALSE(first.fields.contains("idempotency-replayed"));
  auto again = ask("POST", "/v1/jobs", noop, bare);
  CHECK(again.status == 200);
  CHECK(again.fields["idempotency-replayed"] == "true");
  CHECK(again.text("id") == first.text("id"));
  auto other = ask("POST", "/v1/jobs", noop + " ", key); // Bodies are compared by their bytes.
  CHECK(other.status == 422);
  CHECK(other.text("code") == "idempotency_conflict");
  CHECK(ask("POST", "/v1/jobs", noop, "Idempotency-Key: a b\r\n").status == 422);
}

TEST_CASE_METHOD(node_fixture, "a repeated request is answered when its job is gone",
                 "[http][api][keys]") {
  const std::string key = "Idempotency-Key: k1\r\n";
  auto line = R"({"idempotency_key":"k2",)" + noop.substr(1);
  auto first = ask("POST", "/v1/jobs", noop, key);
  auto second = ended(noop);
  const std::string key_3 = "Idempotency-Key: k3\r\n";
  auto retried = ask("POST", "/v1/jobs/" + second + ":retry", R"({"from":"a"})", key_3);
  REQUIRE(retried.status == 201);
  auto of_line = lines_of(ask("POST", "/v1/jobs:batch", line, ndjson).body);
  for (auto id : {first.text("id"), retried.text("id"), text_of(of_line.at(0), "id")}) {
    REQUIRE(ask("GET", "/v1/jobs/" + id + "/result?wait=60s").status == 200);
    REQUIRE(ask("DELETE", "/v1/jobs/" + id).status == 204);
  }
  auto is_gone = [](const value& x) {
    auto found = x.find("deleted");
    return found && found->boolean() && *found->boolean();
  };
  auto again = ask("POST", "/v1/jobs", noop, key);
  CHECK(again.status == 200);
  CHECK(again.fields["idempotency-replayed"] == "true");
  CHECK(again.text("id") == first.text("id"));
  CHECK(again.text("created_at") == first.text("created_at"));
  CHECK(is_gone(again.json()));
  auto same = ask("POST", "/v1/jobs/" + second + ":retry", R"({"from":"a"})", key_3);
  CHECK(same.status == 200);
  CHECK(same.text("id") == retried.text("id"));
  CHECK(is_gone(same.json()));
  for (auto how : {"", "?atomic=true"}) {
    auto lines =
        lines_of(ask("POST", "/v1/jobs:batch" + std::string{how}, line + "\n" + noop, ndjson).body);
    REQUIRE(lines.size() == 2);
    auto made = number_of(lines[0], "line") == 1 ? 0U : 1U;
    CHECK(text_of(lines[made], "id") == text_of(of_line[0], "id"));
    CHECK(number_of(lines[made], "status") == 200);
    CHECK(is_gone(lines[made]));
    CHECK_FALSE(is_gone(lines[1 - made]));
  }
}

TEST_CASE_METHOD(node_fixture, "bad requests for jobs are refused, and nothing is stored",
                 "[http][api]") {
  struct row {
    std::string body;
    int status;
    std::string code;
  };
  for (auto& x : std::vector<row>{
           {"{", 400, "bad_json"},
           {"[]", 422, "invalid_spec"},
           {R"({"graph":{"vertices":[]},"priority":1})", 422, "invalid_spec"},
           {R"({"graph":{"vertices":[{"id":"a","kind":"nonsense"}]}})", 422, "invalid_spec"},
           {R"({"graph":{"vertices":[{"id":"a","kind":"exec","config":{"argv":["x"]}}]}})", 403,
            "kind_not_allowed"},
       }) {
    auto got = ask("POST", "/v1/jobs", x.body);
    INFO(x.body << ": " << got.body);
    CHECK(got.status == x.status);
    CHECK(got.text("code") == x.code);
  }
  auto wrong = ask("POST", "/v1/jobs", R"({"graph":{"vertices":[{"id":"a","kind":"nonsense"}]}})");
  CHECK(text_of(wrong.json().find("errors")->items()->at(0), "pointer")
        == "/graph/vertices/0/kind");
  auto both =
      ask("POST", "/v1/jobs", R"({"foo":1,"graph":{"vertices":[{"id":"a","kind":"nonsense"}]}})");
  REQUIRE(both.json().find("errors")->items()->size() == 2);
  CHECK(text_of(both.json().find("errors")->items()->at(0), "pointer") == "/foo");
  CHECK(text_of(both.json().find("errors")->items()->at(1), "pointer") == "/graph/vertices/0/kind");
  CHECK(ask("GET", "/v1/jobs").json().find("jobs")->items()->empty());
  CHECK(ask("GET", nobody).status == 404);
  CHECK(ask("GET", nobody + "/events").status == 404);
  CHECK(ask("POST", nobody + ":cancel").status == 404);
  CHECK(ask("GET", "/v1/jobs?state=odd").text("code") == "bad_query");
  CHECK(ask("GET", "/v1/jobs?priority=1").text("code") == "bad_query");
  CHECK(ask("GET", "/v1/jobs?cursor=x").text("code") == "bad_query");
  CHECK(ask("GET", "/v1/jobs?limit=0").text("code") == "bad_query");
  CHECK(ask("GET", "/v1/jobs?label=a%3D1&label=b%3D1").status == 200);
  CHECK(ask("GET", "/v1/jobs?label=a%3D1&label=a%3D2").text("code") == "bad_query");
}

TEST_CASE_METHOD(node_fixture, "a wait that is over tells how the job stands", "[http][api]") {
  auto id = submit(sleeper);
  auto now = ask("GET", "/v1/jobs/" + id + "/result");
  CHECK(now.status == 202);
  CHECK(now.text("state") == "running");
  CHECK(ask("GET", "/v1/jobs/" + id + "/result?wait=20ms").status == 202);
  CHECK(ask("GET", "/v1/jobs/" + id + "/result?wait=1d").text("code") == "bad_query");
  CHECK(ask("GET", "/v1/jobs/" + id + "/result?wait=soon").text("code") == "bad_query");
}

TEST_CASE_METHOD(node_fixture, "steps move a job, and illegal ones name both states",
                 "[http][api]") {
  auto id = submit(sleeper), path = "/v1/jobs/" + id;
  CHECK(ask("POST", path + ":pause").text("state") == "paused");
  CHECK(ask("POST", path + ":resume", R"({"reason":"why not"})").text("state") == "running");
  CHECK(ask("POST", path + ":cancel", R"({"because":1})").status == 422);
  CHECK(ask("DELETE", path).status == 409);
  CHECK(ask("POST", path + ":retry").status == 409);
  auto cancelled = ask("POST", path + ":cancel");
  CHECK(cancelled.status == 200);
  auto end = ask("GET", path + "/result?wait=60s");
  CHECK(end.text("state") == "cancelled");
  auto again = ask("POST", path + ":pause");
  CHECK(again.status == 409);
  CHECK(again.text("detail").find("cancelled") != std::string::npos);
}

TEST_CASE_METHOD(node_fixture, "a failed job is retried as a new one", "[http][api]") {
  auto id = ended(failing);
  auto made = ask("POST", "/v1/jobs/" + id + ":retry");
  REQUIRE(made.status == 201);
  CHECK(made.text("retry_of") == id);
  CHECK(made.text("id") != id);
  CHECK(ask("POST", "/v1/jobs/" + id + ":retry", R"({"from":"b"})").status == 201);
  auto wrong = ask("POST", "/v1/jobs/" + id + ":retry", R"({"from":"zzz"})");
  CHECK(wrong.status == 404);
  CHECK(wrong.text("code") == "no_such_vertex");
}

TEST_CASE_METHOD(node_fixture, "jobs are acted on by filter, and counted before", "[http][api]") {
  for (int i = 0; i < 3; ++i)
    submit(R"({"queue":"q",)" + sleeper.substr(1));
  submit(sleeper);
  CHECK(ask("POST", "/v1/jobs:cancel").text("code") == "bad_query");
  http_client other{server->port()}; // A body that is not read ends a connection.
  auto by_body = other.ask("POST", "/v1/jobs:cancel?queue=q", R"({"dry_run":true})");
  CHECK(by_body.text("code") == "bad_request");
  auto dry = ask("POST", "/v1/jobs:cancel?queue=q&dry_run");
  CHECK(number_of(dry.json(), "jobs") == 3);
  CHECK(number_of(ask("POST", "/v1/jobs:stop?queue=q").json(), "jobs") == 3);
  CHECK(number_of(ask("POST", "/v1/jobs:stop?queue=q").json(), "jobs") == 0);
  CHECK(number_of(ask("POST", "/v1/jobs:retry?queue=q&state=stopped&dry_run=true").json(), "jobs")
        == 3);
  CHECK(number_of(ask("POST", "/v1/jobs:purge?queue=q").json(), "jobs") == 3);
  CHECK(ask("POST", "/v1/jobs:purge?state=running").text("code") == "bad_query");
  for (auto verb : {"cancel", "stop", "pause", "resume"})
    CHECK(ask("POST", "/v1/jobs:" + std::string{verb} + "?state=completed&dry_run").text("code")
          == "bad_query");
  auto left = ask("GET", "/v1/jobs").json();
  CHECK(left.find("jobs")->items()->size() == 1);
}

TEST_CASE_METHOD(node_fixture, "a retry of a filter that is repeated makes no job again",
                 "[http][api]") {
  auto first = ended(failing), second = ended(failing);
  auto jobs = [&] { return ask("GET", "/v1/jobs").json().find("jobs")->items()->size(); };
  auto done = ask("POST", "/v1/jobs:retry?state=failed").json();
  CHECK(number_of(done, "jobs") == 2);
  CHECK_FALSE(done.find("repeated"));
  auto ended_all = [&] {
    return ask("GET", "/v1/jobs?state=unfinished").json().find("jobs")->items()->empty();
  };
  REQUIRE(eventually(ended_all));
  const std::string old = "/v1/jobs:retry?state=failed&q=";
  for (auto& id : {first, second}) {
    auto again = ask("POST", old + id).json();
    CHECK(number_of(again, "jobs") == 0);
    CHECK(number_of(again, "refused") == 0);
    CHECK(number_of(again, "repeated") == 1);
  }
  CHECK(jobs() == 4);
  auto all = ask("POST", "/v1/jobs:retry?state=failed").json(); // What was retried has failed, too.
  CHECK(number_of(all, "jobs") == 2);
  CHECK(number_of(all, "repeated") == 2);
  CHECK(jobs() == 6);
  CHECK(ask("POST", "/v1/jobs/" + first + ":retry").status == 201);
}

TEST_CASE_METHOD(node_fixture, "bulk steps take the filter of lists", "[http][api]") {
  auto jobs = [&](const std::string& target) {
    auto x = ask("POST", "/v1/jobs:" + target);
    INFO(x.body);
    CHECK(x.status == 200);
    return number_of(x.json(), "jobs");
  };
  for (auto team : {"red", "blue"})
    submit(R"({"labels":{"team":")" + std::string{team} + "\"}," + sleeper.substr(1));
  for (auto verb : {"cancel", "pause", "resume", "stop"})
    CHECK(jobs(std::string{verb} + "?q=RED&dry_run") == 1);
  CHECK(jobs("stop?q=red") == 1);
  CHECK(jobs("stop?q=nobody") == 0);
  CHECK(jobs("purge?q=red&ended_before=2020-01-31T12:00:00Z&dry_run") == 0);
  CHECK(jobs("retry?q=red&state=stopped&ended_before=2120-01-31T12:00:00Z&dry_run") == 1);
  CHECK(jobs("retry?q=red&dry_run") == 0); // It has not failed.
  CHECK(jobs("purge?ended_before=2120-01-31T12:00:00Z&dry_run") == 1);
  CHECK(eventually([&] { return jobs("purge?older_than=1ms&q=red&dry_run") == 1; }));
  CHECK(jobs("purge?older_than=1h&q=red&dry_run") == 0);
  CHECK(jobs("purge?older_than=36500d&q=red&dry_run") == 0);
  CHECK(jobs("purge?q=red") == 1);
  for (auto wrong : {"purge?q=", "purge?ended_before=yesterday", "purge?older_than=1",
                     "purge?older_than=1h&ended_before=2120-01-31T12:00:00Z", "purge?older=1",
                     "cancel?ended_before=2120-01-31T12:00:00Z"})
    CHECK(ask("POST", std::string{"/v1/jobs:"} + wrong).text("code") == "bad_query");
  auto left = ask("GET", "/v1/jobs").json();
  REQUIRE(left.find("jobs")->items()->size() == 1);
  CHECK(text_of(left.find("jobs")->items()->at(0), "state") == "running");
}

TEST_CASE_METHOD(node_fixture,
                 "a purge reaches all that have ended, however they did, and no other",
                 "[http][api]") {
  constexpr std::size_t jobs = limits::http_bulk_in_flight_max + 44;
  ended(noop);
  ended(failing);
  submit(sleeper);
  std::string lines;
  for (std::size_t i = 0; i < jobs; ++i)
    lines += R"({"queue":"q",)" + sleeper.substr(1) + "\n";
  REQUIRE(ask("POST", "/v1/jobs:batch", lines, ndjson).status == 200);
  REQUIRE(number_of(ask("POST", "/v1/jobs:stop?queue=q").json(), "jobs") == jobs);
  const std::string all = "/v1/jobs:purge?ended_before=2120-01-31T12:00:00Z";
  CHECK(number_of(ask("POST", all + "&dry_run").json(), "jobs") == jobs + 2);
  auto purged = ask("POST", all).json();
  CHECK(number_of(purged, "jobs") == jobs + 2);
  CHECK(number_of(purged, "refused") == 0);
  CHECK(ask("GET", "/v1/jobs").json().find("jobs")->items()->size() == 1);
}

TEST_CASE_METHOD(node_fixture, "a purge ends when its client has gone", "[http][api]") {
  constexpr std::size_t jobs = 2 * limits::http_bulk_in_flight_max + 1;
  std::string lines;
  for (std::size_t i = 0; i < jobs; ++i)
    lines += sleeper + "\n";
  REQUIRE(ask("POST", "/v1/jobs:batch", lines, ndjson).status == 200);
  REQUIRE(number_of(ask("POST", "/v1/jobs:stop?queue=default").json(), "jobs") == jobs);
  held_pool held{api->pool};
  {
    http_client other{server->port()};
    other.send(other.text_of("POST", "/v1/jobs:purge?state=stopped"));
    REQUIRE(eventually([&] { return api->bulk_runs == 1; }));
  }
  REQUIRE(eventually([&] { return server->connections() == 1; }));
  held.let_go();
  REQUIRE(eventually([&] { return api->bulk_runs == 0; }));
  auto left = number_of(ask("POST", "/v1/jobs:purge?state=stopped&dry_run").json(), "jobs");
  CHECK(left < std::int64_t{jobs});
  CHECK(left >= std::int64_t{jobs - limits::http_bulk_in_flight_max});
}

TEST_CASE_METHOD(node_fixture, "a filter of more jobs than a page reaches all", "[http][api]") {
  constexpr std::size_t jobs = limits::http_bulk_in_flight_max + 44;
  std::string lines;
  for (std::size_t i = 0; i < jobs; ++i)
    lines += sleeper + "\n";
  REQUIRE(ask("POST", "/v1/jobs:batch", lines, ndjson).status == 200);
  for (auto path : {"/v1/jobs:cancel?queue=default&dry_run", "/v1/jobs:cancel?queue=default"})
    CHECK(number_of(ask("POST", path).json(), "jobs") == jobs);
  CHECK(number_of(ask("POST", "/v1/jobs:cancel?queue=default").json(), "jobs") == 0);
}

TEST_CASE_METHOD(node_fixture, "few requests act on many jobs at once", "[http][api]") {
  api->bulk_runs = http::bulk_runs_max;
  for (auto path : {"/v1/jobs:cancel?queue=q", "/v1/jobs:purge?queue=q"}) {
    auto refused = ask("POST", path);
    CHECK(refused.status == 429);
    CHECK(refused.fields.contains("retry-after"));
  }
  --api->bulk_runs;
  for (int i = 0; i < 20; ++i) // Each has given its place back when it is answered.
    for (auto path : {"/v1/jobs:cancel?queue=q", "/v1/jobs:purge?queue=q"})
      CHECK(ask("POST", path).status == 200);
}

TEST_CASE_METHOD(node_fixture, "a key for idempotency is refused by every POST that takes none",
                 "[http][api]") {
  auto page = graph_json::parse_value(openapi_json());
  REQUIRE(page);
  auto takes = [&](const std::string& path) { // As the page says.
    auto parameters = page->find("paths")->find(path)->find("post")->find("parameters");
    return parameters && std::ranges::any_of(*parameters->items(), [](auto& x) {
             auto name = x.find("name");
             return name && *name->string() == "Idempotency-Key";
           });
  };
  std::set<std::string> taken;
  for (auto& route : api_routes(api)) {
    if (route.method != "POST")
      continue;
    auto path = route.path;
    for (std::string_view open : {"{job}", "{flow}"})
      if (auto at = path.find(open); at != path.npos)
        path.replace(at, open.size(), "01890000-0000-7000-8000-000000000000");
    INFO(route.path);
    http_client other{server->port()};
    auto got = other.ask("POST", path, "", "Idempotency-Key: k\r\n");
    auto is_refused =
        got.status == 400 && got.body.find("Idempotency-Key does nothing here") != got.body.npos;
    CHECK(is_refused != takes(route.path));
    if (!is_refused)
      taken.insert(route.path);
  }
  CHECK(taken.size() == 4);
  CHECK(ask("PUT", "/v1/blobs/" + std::string(64, 'a'), "", "Idempotency-Key: k\r\n").status
        != 400);
}

TEST_CASE("lines of batches have their share of the room for bodies", "[http][api][bodies]") {
  constexpr std::size_t kib = 1024;
  node_fixture x{node_fixture::in_memory(), {}, [](http_options& options) {
                   options.bodies_bytes_max = 256 * kib;
                 }};
  const std::string ndjson = "Content-Type: application/x-ndjson\r\n";
  auto text = noop + "\n" + noop.substr(0, noop.size() - 1) + std::string(300 * kib, ' ') + "}\n";
  auto lines = lines_of(x.ask("POST", "/v1/jobs:batch", text, ndjson).body);
  REQUIRE(lines.size() == 2);
  std::map<std::int64_t, std::int64_t> statuses;
  for (auto& line : lines)
    statuses[*line.find("line")->integer()] = *line.find("status")->integer();
  CHECK(statuses == std::map<std::int64_t, std::int64_t>{{1, 201}, {2, 429}});

  http_client other{x.server->port()};
  auto refused = other.ask("POST", "/v1/jobs:batch?atomic=true", text, ndjson);
  CHECK(refused.status == 429);
  CHECK(refused.text("code") == "overloaded");
  CHECK(node_fixture::eventually([&] { return x.server->body_bytes() == 0; }));
  http_client third{x.server->port()};
  CHECK(lines_of(third.ask("POST", "/v1/jobs:batch", noop + "\n" + noop + "\n", ndjson).body).size()
        == 2);
}

TEST_CASE("metrics have what bounds requests", "[http][api]") {
  node_fixture x{node_fixture::in_memory(), [](api_parts& parts) {
                   parts.metrics = [](const std::vector<limit_use>& limits) {
                     std::string text;
                     for (auto& use : limits)
                       text += use.limit + " " + std::to_string(use.in_use) + "/"
                               + std::to_string(use.most) + "\n";
                     return text;
                   };
                 }};
  auto slot = std::make_optional<bulk_slot>(x.api);
  auto most = " 0/" + std::to_string(limits::http_work_waiting_max) + "\n";
  auto text = x.ask("GET", "/metrics").body;
  CHECK_THAT(text, Catch::Contains("http_bulk_runs 1/2\n"));
  CHECK_THAT(text, Catch::Contains("http_work_waiting" + most));
  CHECK_THAT(text, Catch::Contains("http_work_waiting_bytes 0/"));
  slot.reset();
  CHECK_THAT(x.ask("GET", "/metrics").body, Catch::Contains("http_bulk_runs 0/2\n"));
}

TEST_CASE_METHOD(node_fixture, "a list goes on where its cursor says", "[http][api]") {
  std::set<std::string> made, seen;
  for (int i = 0; i < 5; ++i)
    made.insert(submit(R"({"labels":{"colour":"blue"},)" + noop.substr(1)));
  submit(noop);
  std::string cursor;
  do {
    auto page = ask("GET", "/v1/jobs?label=colour%3Dblue&limit=2" + cursor).json();
    for (auto& x : *page.find("jobs")->items())
      CHECK(seen.insert(text_of(x, "id")).second);
    auto next = text_of(page, "next");
    cursor = next.empty() ? "" : "&cursor=" + next;
  } while (!cursor.empty());
  CHECK(seen == made);
}

TEST_CASE_METHOD(node_fixture, "events are read from anywhere, to the one end",
                 "[http][api][events]") {
  auto id = ended(noop), path = "/v1/jobs/" + id + "/events";
  auto all = ask("GET", path);
  CHECK(all.fields["content-type"] == "text/event-stream");
  auto ids = ids_of(all.body);
  REQUIRE(ids.size() > 3);
  for (std::size_t i = 0; i < ids.size(); ++i)
    CHECK(ids[i] == std::to_string(i + 1));
  CHECK(all.body.find("event: end\n") == all.body.rfind("event: end\n"));
  CHECK(ids_of(ask("GET", path + "?from=3").body).front() == "3");
  CHECK(ids_of(ask("GET", path + "?from=1", "", "Last-Event-ID: 3\r\n").body).front() == "4");
  CHECK(ask("GET", path, "", "Last-Event-ID: " + ids.back() + "\r\n").status == 204);
  CHECK(ask("GET", path + "?from=0").status == 400);
  auto type_for = [&](const std::string& list) {
    return ask("GET", path, "", "Accept: " + list + "\r\n").fields["content-type"];
  };
  for (auto list : {"application/x-ndjson", "application/x-ndjson, */*", "application/ndjson"})
    CHECK(type_for(list) == "application/x-ndjson");
  for (auto list : {"*/*", "text/event-stream", "application/x-ndjson;q=0, text/event-stream",
                    "application/x-ndjson;q=0.5, text/event-stream"})
    CHECK(type_for(list) == "text/event-stream");
  auto lines = lines_of(ask("GET", path, "", "Accept: application/x-ndjson\r\n").body);
  CHECK(lines.size() == ids.size());
  CHECK(text_of(lines.back(), "event") == "end");
  auto other =
      ask("GET", path, "", "Last-Event-ID: 2.77\r\n").body; // Of another life of the store.
  CHECK(other.starts_with("event: gap\n"));
  CHECK(other.find("\"restored\"") != std::string::npos);
  CHECK(ids_of(other) == ids);
}

TEST_CASE_METHOD(node_fixture, "many readers follow a running job to its end",
                 "[http][api][events]") {
  auto id = submit(sleeper);
  std::vector<std::unique_ptr<http_client>> readers;
  for (int i = 0; i < 20; ++i) {
    auto& x = readers.emplace_back(std::make_unique<http_client>(server->port()));
    x->send(x->text_of("GET", "/v1/jobs/" + id + "/events"));
    CHECK(x->read_head().status == 200);
  }
  std::string piece, pinged;
  while (pinged.find(": ping\n\n") == pinged.npos) {
    REQUIRE(readers.front()->read_chunk(piece));
    pinged += piece;
  }
  REQUIRE(ask("POST", "/v1/jobs/" + id + ":stop").status == 200);
  std::set<std::vector<std::string>> seen;
  for (auto& x : readers) {
    std::string text = x == readers.front() ? pinged : "";
    while (x->read_chunk(piece) && !piece.empty())
      text += piece;
    seen.insert(ids_of(text));
    CHECK(text.find("event: end\n") != text.npos);
  }
  CHECK(seen.size() == 1);
}

TEST_CASE_METHOD(node_fixture, "a job may depend on its reader", "[http][api][events]") {
  auto stays = submit(sleeper), goes = submit(sleeper);
  for (auto& [id, query] : {std::pair{stays, ""}, {goes, "?on_disconnect=cancel"}}) {
    http_client reader{server->port()};
    reader.send(reader.text_of("GET", "/v1/jobs/" + id + "/events" + query));
    CHECK(reader.read_head().status == 200);
  }
  CHECK(ask("GET", "/v1/jobs/" + goes + "/result?wait=60s").text("state") == "cancelled");
  CHECK(ask("GET", "/v1/jobs/" + stays).text("state") == "running");
}

TEST_CASE_METHOD(node_fixture, "a job may depend on who waits for its result", "[http][api]") {
  auto stays = submit(sleeper), goes = submit(sleeper);
  for (auto& [id, query] : {std::pair{stays, ""}, {goes, "&on_disconnect=cancel"}}) {
    http_client waiting{server->port()};
    waiting.send(waiting.text_of("GET", "/v1/jobs/" + id + "/result?wait=60s" + query));
  }
  CHECK(ask("GET", "/v1/jobs/" + goes + "/result?wait=60s").text("state") == "cancelled");
  CHECK(ask("GET", "/v1/jobs/" + stays).text("state") == "running");
  CHECK(ask("GET", "/v1/jobs/" + stays + "/result?on_disconnect=odd").text("code") == "bad_query");
}

TEST_CASE("who may not cancel cannot have a job cancelled by going", "[http][api]") {
  node_fixture x{
      node_fixture::in_memory(), {}, [](http_options& how) {
        how.authenticate = [](std::string_view key) -> result<principal> {
          return principal{"k", "", {}, key == "viewer" ? role::viewer : role::operator_};
        };
      }};
  auto path = "/v1/jobs/" + x.submit(sleeper);
  const std::string viewer = "Authorization: Bearer viewer\r\n";
  for (auto what : {"/result", "/events"}) {
    auto refused = x.ask("GET", path + what + "?on_disconnect=cancel", "", viewer);
    CHECK(refused.status == 403);
    CHECK(refused.text("code") == "forbidden");
    CHECK_THAT(refused.text("detail"), Catch::Contains("by `on_disconnect` neither; `operator` or "
                                                       "`admin` may"));
  }
  CHECK(x.ask("POST", path + ":cancel", "", viewer).text("detail")
        == "the key has the role `viewer`, which may not change jobs; `operator` or `admin` may");
  CHECK_THAT(x.ask("GET", "/v1/keys", "", viewer).text("detail"),
             Catch::Contains("may not manage keys; `admin` may"));
  CHECK(x.ask("GET", path + "/result?on_disconnect=detach", "", viewer).status == 202);
  CHECK(x.ask("GET", path + "/result?on_disconnect=cancel").status == 202);
}

TEST_CASE_METHOD(node_fixture, "a batch is answered line by line", "[http][api][batch]") {
  auto good = R"({"idempotency_key":"b",)" + noop.substr(1);
  auto text = noop + "\n\n{\n" + good + "\n" + good + "\n" + R"({"priority":1})";
  auto got = ask("POST", "/v1/jobs:batch", text, ndjson);
  CHECK(got.status == 200);
  std::map<std::int64_t, value> lines;
  for (auto& x : lines_of(got.body))
    CHECK(lines.emplace(number_of(x, "line"), x).second);
  REQUIRE(lines.size() == 5);
  CHECK(number_of(lines[1], "status") == 201);
  CHECK(number_of(lines[3], "status") == 400);
  CHECK(number_of(lines[4], "status") + number_of(lines[5], "status") == 401);
  CHECK(text_of(lines[4], "id") == text_of(lines[5], "id"));
  CHECK(number_of(lines[6], "status") == 422);
  CHECK(ask("GET", "/v1/jobs/" + text_of(lines[1], "id")).status == 200);
  CHECK(ask("POST", "/v1/jobs:batch", noop, "Content-Type: application/json\r\n").status == 415);
}

TEST_CASE_METHOD(node_fixture, "a long batch streams through", "[http][api][batch]") {
  constexpr std::size_t count = 5000;
  http_client c{server->port()};
  std::jthread writer{[&] {
    c.send("POST /v1/jobs:batch HTTP/1.1\r\nHost: localhost\r\n" + ndjson
           + "Content-Length: " + std::to_string(count * (noop.size() + 1)) + "\r\n\r\n");
    for (std::size_t i = 0; i < count; ++i)
      c.send(noop + "\n");
  }};
  auto got = c.read();
  std::set<std::string> ids;
  for (auto& x : lines_of(got.body))
    ids.insert(text_of(x, "id"));
  CHECK(ids.size() == count);
}

/// Begins a batch that comes in chunks.
void begin_batch(http_client& c, const std::string& first) {
  REQUIRE(c.send("POST /v1/jobs:batch HTTP/1.1\r\nHost: localhost\r\n" + ndjson
                 + "Transfer-Encoding: chunked\r\n\r\n" + chunk_of(first)));
  REQUIRE(c.read_head().status == 200);
}

/// The statuses of all lines that are answered, by their numbers. The body comes to its end.
std::map<std::int64_t, std::int64_t> rest_of_batch(http_client& c) {
  std::string text, piece;
  do {
    REQUIRE(c.read_chunk(piece));
    text += piece;
  } while (!piece.empty());
  std::map<std::int64_t, std::int64_t> statuses;
  for (auto& x : lines_of(text))
    CHECK(statuses.emplace(number_of(x, "line"), number_of(x, "status")).second);
  return statuses;
}

using statuses = std::map<std::int64_t, std::int64_t>;

TEST_CASE("a batch that comes too slowly says at which line it ends", "[http][api][batch]") {
  node_fixture x{node_fixture::in_memory(), {}, [](http_options& options) {
                   options.body_time = std::chrono::milliseconds{100};
                 }};
  begin_batch(x.client, noop + "\n" + noop);
  CHECK(rest_of_batch(x.client) == statuses{{1, 201}, {2, 408}});
  CHECK(x.client.ends());
}

TEST_CASE_METHOD(node_fixture, "a batch that is cut off or malformed says at which line it ends",
                 "[http][api][batch]") {
  begin_batch(client, noop + "\n" + noop);
  client.finish();
  CHECK(rest_of_batch(client) == statuses{{1, 201}, {2, 400}});

  http_client other{server->port()};
  begin_batch(other, noop + "\n" + noop + "\n" + noop);
  other.send("no size\r\n");
  CHECK(rest_of_batch(other) == statuses{{1, 201}, {2, 201}, {3, 400}});
  CHECK(other.ends());

  http_client third{server->port()};
  third.send("POST /v1/jobs:batch?atomic=true HTTP/1.1\r\nHost: localhost\r\n" + ndjson
             + "Transfer-Encoding: chunked\r\n\r\n" + chunk_of(noop));
  third.finish();
  CHECK(third.read().status == 400);
}

TEST_CASE_METHOD(node_fixture,
                 "a batch that a node's end cuts off is answered for what it has made",
                 "[http][api][batch]") {
  held_pool held{api->pool};
  auto large = noop.substr(0, noop.size() - 1) + std::string(limits::http_small_body_bytes, ' ')
               + "}\n"; // It goes to the pool.
  auto is_waiting = [&] { return api->pool.waiting().always == 1; };
  begin_batch(client, large + noop);
  REQUIRE(eventually(is_waiting));
  auto shut = std::async(std::launch::async, [&] { return server->shut(tests::http_patience); });
  std::string piece;
  REQUIRE(client.read_chunk(piece));
  auto last = lines_of(piece);
  REQUIRE(last.size() == 1);
  CHECK(number_of(last[0], "line") == 2);
  CHECK(number_of(last[0], "status") == 503);
  CHECK(text_of(*last[0].find("error"), "code") == "closing");
  held.let_go();
  CHECK(rest_of_batch(client) == statuses{{1, 201}});
  CHECK(shut.get());
}

TEST_CASE_METHOD(node_fixture, "lines of a batch become jobs in their order, new graphs or not",
                 "[http][api][batch]") {
  submit(noop);
  held_pool held{api->pool};
  auto is_waiting = [&] { return api->pool.waiting().always == 1; };
  const std::string key = R"({"idempotency_key":"k",)";
  client.send(client.text_of("POST", "/v1/jobs:batch",
                             key + sleeper.substr(1) + "\n" + key + noop.substr(1) + "\n", ndjson));
  REQUIRE(client.read_head().status == 200);
  REQUIRE(eventually(is_waiting));
  held.let_go();
  CHECK(rest_of_batch(client) == statuses{{1, 201}, {2, 422}});
}

TEST_CASE_METHOD(node_fixture, "an atomic batch of too many lines is told how many there may be",
                 "[http][api][batch]") {
  std::string text;
  for (std::size_t i = 0; i <= limits::transaction_parts_max; ++i)
    text += noop + "\n";
  auto refused = ask("POST", "/v1/jobs:batch?atomic=true", text, ndjson);
  CHECK(refused.status == 413);
  CHECK(refused.text("code") == "body_too_large");
  CHECK(refused.text("detail") == "line 1025: an atomic batch has at most 1024 lines");
  CHECK(refused.text("next") == "send less, or several requests, or a batch");
}

TEST_CASE_METHOD(node_fixture, "an atomic batch makes all or none", "[http][api][batch]") {
  auto good = ask("POST", "/v1/jobs:batch?atomic=true", noop + "\n" + noop + "\n", ndjson);
  CHECK(good.status == 200);
  CHECK(lines_of(good.body).size() == 2);
  auto other = R"({"queue":"q",)" + noop.substr(1);
  CHECK(ask("POST", "/v1/jobs:batch?atomic=true", noop + "\n" + other, ndjson).status == 422);
  auto wrong = ask("POST", "/v1/jobs:batch?atomic=true", " \n" + noop + "\n\n{", ndjson);
  CHECK(wrong.status == 400);
  CHECK(wrong.fields["troupe-line"] == "4");
  CHECK(wrong.text("detail").starts_with("line 4: "));
  CHECK(ask("GET", "/v1/jobs").json().find("jobs")->items()->size() == 2);
  auto lines = lines_of(
      ask("POST", "/v1/jobs:batch?atomic=true", "\n" + noop + "\n \t\n" + noop, ndjson).body);
  REQUIRE(lines.size() == 2);
  CHECK(number_of(lines[0], "line") == 2);
  CHECK(number_of(lines[1], "line") == 4);
}

TEST_CASE_METHOD(node_fixture, "large lines of a batch wait for each other", "[http][api][batch]") {
  auto large = R"({"input":")" + std::string(900'000, 'x') + "\"," + noop.substr(1) + "\n";
  std::string text;
  for (int i = 0; i < 12; ++i) // Beyond `batch_bytes_max`.
    text += large;
  CHECK(lines_of(ask("POST", "/v1/jobs:batch", text, ndjson).body).size() == 12);
}

TEST_CASE_METHOD(node_fixture, "a large body is not read by who serves connections",
                 "[http][api]") {
  auto id = submit(sleeper);
  api->pool.drop();
  auto large = R"({"reason":")" + std::string(limits::http_small_body_bytes, 'x') + "\"}";
  for (auto path : {"/v1/work:complete", "/v1/jobs"})
    CHECK(ask("POST", path, large).status == 429);
  CHECK(ask("POST", "/v1/jobs/" + id + ":pause", large).status == 429);
  CHECK(ask("POST", "/v1/jobs/" + id + ":retry", large).status == 429);
  CHECK(ask("POST", "/v1/jobs/" + id + ":pause").status == 200);
}

TEST_CASE_METHOD(node_fixture, "a node tells how it is", "[http][api]") {
  CHECK(ask("GET", "/livez").body == "ok\n");
  CHECK(ask("GET", "/readyz").status == 200);
  CHECK(ask("GET", "/readyz?verbose").body == "[+] runtime ok\n");
  CHECK(ask("GET", "/readyz?verbose=false").body == "ok\n");
  CHECK(ask("GET", "/readyz?verbose=maybe").text("code") == "bad_query");
  CHECK(ask("GET", "/metrics").status == 404);
  ended(noop);
  auto stats = ask("GET", "/v1/stats").json();
  CHECK(number_of(stats.find("queues")->items()->at(0), "jobs") == 1);
  CHECK(text_of(ask("GET", "/v1/openapi.json").json(), "openapi") == "3.1.0");
  node.close();
  CHECK(ask("GET", "/livez").status == 200);
  CHECK(ask("GET", "/readyz").status == 503);
  CHECK(ask("POST", "/v1/jobs", noop).status == 503);
}

TEST_CASE("a node is ready while each part of it is, and names those that are not", "[http][api]") {
  status disk;
  node_fixture x{node_fixture::in_memory(), [&](api_parts& parts) {
                   parts.ready_parts = [&] {
                     return std::vector<ready_part>{{"disk", disk}, {"audit", {}}};
                   };
                 }};
  CHECK(x.ask("GET", "/readyz?verbose").body == "[+] runtime ok\n[+] disk ok\n[+] audit ok\n");
  disk = error{ec::no_space, "it is full"};
  auto full = x.ask("GET", "/readyz?verbose");
  CHECK(full.status == 503);
  CHECK(full.fields["retry-after"] == "1");
  CHECK(full.body == "[+] runtime ok\n[-] disk: it is full\n[+] audit ok\n");
  CHECK(x.ask("GET", "/readyz").body == "not ready\n");
  CHECK(x.ask("GET", "/livez").status == 200);
}

TEST_CASE("scrapes at once are one piece of work, and keep no request back", "[http][api]") {
  std::promise<void> opened;
  std::atomic<int> begun = 0;
  node_fixture x{node_fixture::in_memory(), [&](api_parts& parts) {
                   auto gate = opened.get_future().share();
                   parts.metrics = [&begun, gate](auto&&) {
                     auto n = ++begun;
                     gate.wait();
                     return "n " + std::to_string(n) + "\n";
                   };
                 }};
  std::vector<std::unique_ptr<http_client>> all;
  for (unsigned i = 0; i < 2 * limits::http_work_threads; ++i) {
    all.push_back(std::make_unique<http_client>(x.server->port()));
    all.back()->send(all.back()->text_of("GET", "/metrics"));
    REQUIRE(node_fixture::eventually([&] { return begun > 0; }));
  }
  CHECK(x.ask("GET", "/v1/jobs").status == 200);
  CHECK(begun == 1);
  opened.set_value();
  for (auto& client : all) // What comes while one is made gets one that is begun after that.
    CHECK((client->read().body == "n 1\n") == (client == all.front()));
}

TEST_CASE_METHOD(node_fixture, "a worker runs a vertex by HTTP alone", "[http][api][work]") {
  auto id = submit(R"({"graph":{"vertices":[{"id":"a","kind":"worker",)"
                   R"("config":{"task":"resize","arguments":{"w":8}}}]},"input":"x.png"})");
  auto fetched = ask("POST", "/v1/work:fetch", R"({"worker":"w1","wait":"30s"})");
  REQUIRE(fetched.status == 200);
  auto page = fetched.json();
  REQUIRE(page.find("work")->items()->size() == 1);
  auto& work = page.find("work")->items()->at(0);
  CHECK(text_of(work, "job") == id);
  CHECK(text_of(work, "task") == "resize");
  CHECK(*work.find("arguments") == value{value::object{{"w", 8}}});
  CHECK(*work.find("inputs") == value{value::object{{"job", "x.png"}}});
  auto token = R"({"token":")" + text_of(work, "token") + "\"";
  auto beat =
      ask("POST", "/v1/work:heartbeat", R"({"tokens":[")" + text_of(work, "token") + "\"]}");
  CHECK(text_of(beat.json().find("leases")->items()->at(0), "state") == "held");
  CHECK(ask("POST", "/v1/work:emit", token + R"(,"sequence":1,"text":"half"})").status == 204);
  CHECK(ask("POST", "/v1/work:complete", token + R"(,"output":"y.png"})").status == 204);
  CHECK(ask("POST", "/v1/work:complete", token + R"(,"output":"y.png"})").status == 204);
  CHECK(ask("POST", "/v1/work:complete", token + R"(,"output":"z.png"})").status == 409);
  auto result = ask("GET", "/v1/jobs/" + id + "/result?wait=30s").json();
  CHECK(*result.find("result") == value{value::object{{"a", "y.png"}}});
}

TEST_CASE_METHOD(node_fixture, "a worker gets as much at once as it asks for, and no more",
                 "[http][api][work]") {
  auto take = [&](int count) {
    auto body = R"({"wait":"30s","count":)" + std::to_string(count) + "}";
    auto got = ask("POST", "/v1/work:fetch", body).json();
    std::vector<std::string> vertices;
    for (auto& x : *got.find("work")->items())
      vertices.push_back(text_of(x, "vertex"));
    return vertices;
  };
  // A fetch takes what is there: all that becomes ready at once may be, or a part of it.
  CHECK(eventually([&] {
    submit(R"({"graph":{"vertices":[{"id":"a","kind":"worker","config":{"task":"t"}},)"
           R"({"id":"b","kind":"worker","config":{"task":"t"}},)"
           R"({"id":"c","kind":"worker","config":{"task":"t"}}]}})");
    auto some = take(2);
    const auto first = some.size();
    CHECK(first <= 2);
    while (some.size() < 3)
      for (auto& x : take(8))
        some.push_back(x);
    CHECK(std::set(some.begin(), some.end()) == std::set<std::string>{"a", "b", "c"});
    return first == 2;
  }));
}

TEST_CASE_METHOD(node_fixture, "a worker's malformed request is refused with its places",
                 "[http][api][work]") {
  CHECK(ask("POST", "/v1/work:fetch", R"({"count":0})").status == 422);
  CHECK(ask("POST", "/v1/work:fetch?wait=30s", "{}").text("code") == "bad_query");
  CHECK(ask("POST", "/v1/work:fetch", R"({"queue":"q"})").status == 422);
  CHECK(ask("POST", "/v1/work:fetch", R"({"wait":"2h"})").status == 422);
  CHECK(ask("POST", "/v1/work:complete", R"({"output":1})").status == 422);
  auto large = ask("POST", "/v1/work:complete", R"({"token":"t","output":[18446744073709551615]})");
  CHECK(text_of(large.json().find("errors")->items()->at(0), "pointer") == "/output/0");
  CHECK(ask("POST", "/v1/work:fail", R"({"token":"t","error":{"code":"x"}})").status == 422);
  CHECK(ask("POST", "/v1/work:emit", "{").status == 400);
  CHECK(ask("POST", "/v1/work:fetch", R"({})").json().find("work")->items()->empty());
}

TEST_CASE_METHOD(node_fixture, "every route is in the OpenAPI page, and no other", "[http][api]") {
  auto page = ask("GET", "/v1/openapi.json").json();
  std::set<std::string> told, there;
  for (auto& [path, methods] : *page.find("paths")->members())
    for (auto& [method, ignored] : *methods.members())
      if (method != "parameters")
        told.insert(method + " " + path);
  for (auto& x : api_routes({node})) {
    auto method = x.method;
    for (auto& c : method)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    there.insert(method + " " + x.path);
  }
  CHECK(told == there);
}

TEST_CASE_METHOD(node_fixture, "a look at the header of events cancels nothing", "[http][api]") {
  auto id = submit(sleeper);
  {
    http_client c{server->port()};
    auto head = c.text_of("HEAD", "/v1/jobs/" + id + "/events?on_disconnect=cancel");
    c.send(head + head + c.text_of("GET", "/v1/jobs/" + id)); // It stays usable for all of them.
    for (int i = 0; i < 2; ++i) {
      auto told = c.read(true);
      CHECK(told.status == 200);
      CHECK(told.fields["transfer-encoding"] == "chunked");
    }
    CHECK(c.read().text("id") == id);
  }
  {
    http_client c{server->port()};
    c.send(c.text_of("HEAD", "/v1/jobs/" + id + "/result?wait=60s&on_disconnect=cancel"));
  }
  CHECK(eventually([&] { return server->connections() == 1; }));
  CHECK(ask("GET", "/v1/jobs/" + id).text("state") == "running");
  ask("POST", "/v1/jobs/" + id + ":cancel");
}

TEST_CASE_METHOD(node_fixture, "the place in a stream of events is a number that there can be",
                 "[http][api][events]") {
  auto at = "/v1/jobs/" + ended(noop) + "/events";
  for (auto last : {"18446744073709551615", "9223372036854775808", "1.9223372036854775808"}) {
    auto got = ask("GET", at, "", std::string{"Last-Event-ID: "} + last + "\r\n");
    CHECK(got.status == 400);
    CHECK(got.text("code") == "bad_query");
  }
  CHECK(ask("GET", at, "", "Last-Event-ID: 9223372036854775807\r\n").status == 204);
}

TEST_CASE_METHOD(node_fixture, "nobody waits for events behind the next one",
                 "[http][api][events]") {
  auto id = submit(sleeper), at = "/v1/jobs/" + id + "/events";
  REQUIRE(eventually([&] { return ask("GET", "/v1/jobs/" + id).text("state") == "running"; }));
  auto events = number_of(ask("GET", "/v1/jobs/" + id).json(), "events");
  auto last = [](std::int64_t n) { return "Last-Event-ID: " + std::to_string(n) + "\r\n"; };
  for (auto& [query, field] : {std::pair{std::string{}, last(events + 1)},
                               {"?from=" + std::to_string(events + 2), std::string{}}}) {
    http_client beyond{server->port()};
    beyond.send(beyond.text_of("GET", at + query, "", field));
    REQUIRE(beyond.read_head().status == 400); // A stream would have no end.
    auto refused = ask("GET", at + query, "", field);
    CHECK(refused.text("code") == "bad_query");
    CHECK_THAT(refused.text("detail"),
               Catch::Contains("has " + std::to_string(events) + " so far"));
  }
  http_client reader{server->port()};
  reader.send(reader.text_of("GET", at, "", last(events)));
  CHECK(reader.read_head().status == 200);
  REQUIRE(ask("POST", "/v1/jobs/" + id + ":stop").status == 200);
  std::string text, piece;
  while (reader.read_chunk(piece) && !piece.empty())
    text += piece;
  CHECK(ids_of(text).front() == std::to_string(events + 1));
  CHECK(text.find("event: end\n") != text.npos);
}

TEST_CASE_METHOD(node_fixture, "two traces are none", "[http][api]") {
  const std::string a = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n",
                    b = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-01\r\n";
  CHECK(ask("POST", "/v1/jobs", noop, a).json().find("labels")->find("traceparent"));
  auto two = ask("POST", "/v1/jobs", noop, a + b).json();
  auto labels = two.find("labels");
  CHECK_FALSE((labels && labels->find("traceparent")));
}

TEST_CASE("metrics are told while all other work is refused", "[http][api]") {
  std::latch begun{limits::http_work_threads};
  std::promise<void> opened;
  auto gate = opened.get_future().share();
  tests::http_node x{tests::http_node::in_memory(), [](http::api_parts& parts) {
                       parts.metrics = [](auto&&) { return "m 1\n"; };
                     }};
  for (unsigned i = 0; i < limits::http_work_threads; ++i)
    x.api->pool.post([&begun, gate] {
      begun.count_down();
      gate.wait();
    });
  begun.wait();
  while (x.api->pool.post([] {})) {
  }
  CHECK(x.ask("GET", "/v1/stats").status == 429);
  x.client.send(x.client.text_of("GET", "/metrics"));
  CHECK_FALSE(x.client.hears(std::chrono::milliseconds{50}));
  opened.set_value();
  CHECK(x.client.read().body == "m 1\n");
}

TEST_CASE_METHOD(node_fixture, "what a worker says out of turn is refused with its place",
                 "[http][api][work]") {
  submit(R"({"graph":{"vertices":[{"id":"a","kind":"worker","config":{"task":"t"}}]}})");
  auto got = ask("POST", "/v1/work:fetch", R"({"wait":"30s"})").json();
  auto token = R"({"token":")" + text_of(got.find("work")->items()->at(0), "token") + "\"";
  auto early = ask("POST", "/v1/work:emit", token + R"(,"sequence":3,"text":"x"})");
  CHECK(early.status == 422);
  auto json = early.json();
  auto& first = json.find("errors")->items()->at(0);
  CHECK(text_of(first, "pointer") == "/sequence");
  CHECK(text_of(first, "code") == "out_of_order");
  CHECK_THAT(text_of(first, "detail"), Catch::Contains("piece 1"));
}
