#include "tests/e2e/json.hpp"
#include "tests/e2e/node.hpp"
#include "tests/support/http_client.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

/// Three vertices, of which the second one waits for a file.
const std::string gated = R"({"graph":{"name":"gated","vertices":[
  {"id":"a","kind":"noop","config":{"output":1}},
  {"id":"b","kind":"exec","config":{"shell":"while [ ! -e go ]; do sleep 0.01; done; echo ok"}},
  {"id":"c","kind":"noop"}],
  "edges":[{"from":"a","to":"b"},{"from":"b","to":"c"}]}})";

using node = served_node;

std::vector<value> events_of(http_client& c, const std::string& id) {
  auto got = c.ask("GET", "/v1/jobs/" + id + "/events", "", "Accept: application/x-ndjson\r\n");
  REQUIRE(got.status == 200);
  return lines_of(got.body);
}

/// Reads lines of events until one of this vertex and type.
std::vector<value> events_until(http_client& c, std::string_view type, std::string_view vertex) {
  std::string text, piece;
  while (count(lines_of(text), type, vertex) == 0) {
    REQUIRE(c.read_chunk(piece));
    REQUIRE_FALSE(piece.empty());
    text += piece;
  }
  return lines_of(text);
}

} // namespace

TEST_CASE("a node that is killed goes on with its jobs, with the same events", "[e2e][serve]") {
  scratch in;
  std::string id;
  std::vector<value> before;
  {
    node first{in};
    http_client c{first.port()}, reader{first.port()};
    auto made = c.ask("POST", "/v1/jobs", gated, "Idempotency-Key: k\r\n");
    REQUIRE(made.status == 201);
    id = made.text("id");
    reader.send(reader.text_of("GET", "/v1/jobs/" + id + "/events", "",
                               "Accept: application/x-ndjson\r\n"));
    REQUIRE(reader.read_head().status == 200);
    before = events_until(reader, "vertex_start", "b");
    first.send(SIGKILL);
    CHECK(first.wait().code == 128 + SIGKILL);
  }
  in.write("go", "");
  node second{in};
  http_client c{second.port()};
  auto again = c.ask("POST", "/v1/jobs", gated, "Idempotency-Key: k\r\n");
  CHECK(again.status == 200);
  CHECK(again.text("id") == id);
  auto result = c.ask("GET", "/v1/jobs/" + id + "/result?wait=60s");
  CHECK(result.text("state") == "completed");
  auto after = events_of(c, id);
  CHECK(gapless(after));
  REQUIRE(after.size() > before.size());
  for (std::size_t i = 0; i < before.size(); ++i)
    CHECK(after[i] == before[i]);
}

TEST_CASE("a node that is asked to end does so in order", "[e2e][serve]") {
  for (auto signal : {SIGTERM, SIGINT}) {
    scratch in;
    node x{in};
    http_client c{x.port()}, waiting{x.port()}, reader{x.port()};
    auto id = c.ask("POST", "/v1/jobs", gated).text("id");
    auto path = "/v1/jobs/" + id;
    reader.send(reader.text_of("GET", path + "/events"));
    REQUIRE(reader.read_head().status == 200);
    // In one piece: who has answered the first has the second, too.
    waiting.send(waiting.text_of("GET", "/livez")
                 + waiting.text_of("GET", path + "/result?wait=60s"));
    REQUIRE(waiting.read().status == 200);
    x.send(signal);
    CHECK(waiting.read().status == 202);
    std::string text, piece;
    while (reader.read_chunk(piece) && !piece.empty())
      text += piece;
    CHECK(text.find("event: closing\ndata: ") != text.npos);
    CHECK(x.wait().code == 0);
    in.write("go", "");
    node next{in};
    http_client d{next.port()};
    CHECK(d.ask("GET", path + "/result?wait=60s").text("state") == "completed");
  }
}

TEST_CASE("a node whose port is taken says so, and touches nothing", "[e2e][serve]") {
  scratch in;
  node first{in};
  auto second =
      troupe_with(in, {"serve", "--port", std::to_string(first.port()), "--data", "other"});
  CHECK(second.code == 6);
  CHECK(second.err.find("error[E0024]") != second.err.npos);
  CHECK(second.err.find("Address already in use") != second.err.npos);
  CHECK_FALSE(fs::exists(in.path() / "other"));
}

TEST_CASE("with a log of JSON every line that a node writes is an object, and tells its job",
          "[e2e][serve]") {
  scratch in;
  variable form{"TROUPE_LOG_FORMAT", "json"}, level{"TROUPE_LOG_LEVEL", "debug"};
  node x{in};
  http_client c{x.port()};
  auto made = c.ask("POST", "/v1/jobs",
                    R"({"queue":"q","graph":{"name":"wrong","vertices":)"
                    R"([{"id":"a","kind":"exec","config":{"argv":["false"]}}]}})",
                    "X-Request-Id: r1\r\n");
  REQUIRE(made.status == 201);
  auto id = made.text("id");
  CHECK(c.ask("GET", "/v1/jobs/" + id + "/result?wait=60s").text("state") == "failed");
  CHECK(c.ask("GET", "/\xff\x1b").status != 0); // What comes in must not break a line.
  // Whoever may not begin tells it so, too.
  auto other = troupe_with(in, {"serve", "--port", std::to_string(x.port()), "--data", "other"});
  CHECK(other.code == 6);
  auto told = lines_of(other.err);
  REQUIRE(told.size() == 1);
  CHECK(text_at(told[0], "code") == "cannot_listen");
  CHECK(text_at(told[0], "level") == "error");
  x.send(SIGTERM);
  auto end = x.wait();
  CHECK(end.code == 0);
  REQUIRE(end.err.ends_with("\n"));
  auto lines = lines_of(end.err); // Each is JSON, or this fails.
  auto has = [&](std::initializer_list<std::pair<const char*, std::string>> wanted) {
    return std::ranges::count_if(lines,
                                 [&](auto& line) {
                                   return std::ranges::all_of(wanted, [&](auto& x) {
                                     return text_at(line, x.first) == x.second;
                                   });
                                 })
           == 1;
  };
  for (auto& line : lines)
    for (auto key : {"time", "level", "module", "message"})
      CHECK_FALSE(text_at(line, key).empty());
  CHECK(
      has({{"module", "http"}, {"message", "POST /v1/jobs 201"}, {"job", id}, {"request", "r1"}}));
  CHECK(has({{"module", "http"}, {"message", "GET /v1/jobs/" + id + "/result 200"}, {"job", id}}));
  CHECK(has({{"module", "jobs"}, {"message", "accepted"}, {"job", id}, {"queue", "q"}}));
  CHECK(has({{"module", "jobs"},
             {"level", "warn"},
             {"job", id},
             {"graph", "wrong"},
             {"namespace", "0"},
             {"code", "exit_code"}}));
  CHECK(has({{"module", "serve"}, {"message", "serving " + x.url() + ", data in .troupe"}}));
  CHECK(std::ranges::any_of(
      lines, [](auto& line) { return text_at(line, "message").starts_with("ending, "); }));
}

TEST_CASE("a node is not reachable from outside without keys", "[e2e][serve]") {
  scratch in;
  auto x = troupe_with(in, {"serve", "--port", "0", "--address", "0.0.0.0"});
  CHECK(x.code == 5);
  CHECK(x.err.find("error[E0041]") != x.err.npos);
}

TEST_CASE("a node with keys takes calls by their roles, and writes them down", "[e2e][serve]") {
  scratch in;
  auto made = [&](const char* role) {
    auto x = troupe_with(in, {"keys", "create", "--role", role, "--name", role, "-o", "json"});
    INFO(x.err);
    REQUIRE(x.code == 0);
    return "Authorization: Bearer " + text_at(json_of(x.out), "key") + "\r\n";
  };
  auto viewer = made("viewer"), admin = made("admin");
  node x{in};
  http_client c{x.port()};
  const std::string noop = R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]}})";
  CHECK(c.ask("GET", "/v1/jobs").status == 401);
  CHECK(c.ask("GET", "/livez").status == 200);
  CHECK(c.ask("GET", "/v1/jobs", "", viewer).status == 200);
  http_client d{x.port()}; // What was refused with a body unread ends the connection.
  CHECK(d.ask("POST", "/v1/jobs", noop, viewer).status == 403);
  auto job = c.ask("POST", "/v1/jobs", noop, admin);
  REQUIRE(job.status == 201);
  CHECK(c.ask("GET", "/v1/jobs/" + job.text("id") + "/result?wait=60s", "", viewer).status == 200);
  auto metrics = c.ask("GET", "/metrics").body;
  CHECK(metrics.find("troupe_jobs_finished_total{flow_id=\"inline\",status=\"completed\"} 1")
        != metrics.npos);
  x.send(SIGTERM);
  CHECK(x.wait().code == 0);
  auto audited = read_file(in.path() / ".troupe" / "audit" / "audit-000001.ndjson");
  CHECK(audited.find("/v1/jobs/" + job.text("id")) != audited.npos);
  CHECK(audited.find("\"403\"") != audited.npos);
  CHECK(troupe_with(in, {"audit", "verify"}).code == 0);
}

TEST_CASE("graphs over HTTP may run programs only if that is allowed", "[e2e][serve]") {
  scratch in;
  process x{in, {"serve", "--port", "0"}};
  http_client c{port_of(x)};
  auto refused = c.ask("POST", "/v1/jobs", gated);
  CHECK(refused.status == 403);
  CHECK(refused.text("code") == "kind_not_allowed");
}

TEST_CASE("configs/node.json runs as it is", "[e2e][serve]") {
  scratch in;
  variable data{"TROUPE_DATA_DIR", "data"}, port{"TROUPE_HTTP_PORT", "0"};
  process x{in, {"serve", "-c", TROUPE_SOURCE_DIR "/configs/node.json"}};
  http_client c{port_of(x)};
  auto made = c.ask("POST", "/v1/jobs",
                    R"j({"graph":{"vertices":[{"id":"a","kind":"jq",)j"
                    R"j("config":{"program":"6 * 7"}}]}})j");
  REQUIRE(made.status == 201);
  auto result = c.ask("GET", "/v1/jobs/" + made.text("id") + "/result?wait=60s").json();
  CHECK(*result.find("result") == value{value::object{{"a", 42}}});
  CHECK(c.ask("POST", "/v1/jobs", gated).text("code") == "kind_not_allowed");
  x.send(SIGTERM);
  CHECK(x.wait().code == 0);
  CHECK(fs::exists(in.path() / "data" / "MANIFEST"));
}

TEST_CASE("no key stands in metrics, refusals or logs", "[e2e][serve]") {
  scratch in;
  auto new_key = [&](const char* role) {
    auto made = troupe_with(in, {"keys", "create", "--role", role, "-o", "json"});
    REQUIRE(made.code == 0);
    return text_at(json_of(made.out), "key");
  };
  auto key = new_key("viewer"), admin = new_key("admin");
  auto secret = key.substr(std::string{"trp_1a2b3c4d_"}.size());
  REQUIRE(secret.size() > 40);
  std::string told;
  {
    variable level{"TROUPE_LOG_LEVEL", "trace"};
    node x{in};
    auto ask = [&](const std::string& method, const std::string& path, const std::string& field,
                   int status) {
      http_client c{x.port()};
      auto body = path == "/v1/jobs" && method == "POST"
                      ? R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]}})"
                      : "";
      auto got = c.ask(method, path, body, "Authorization: " + field + "\r\n");
      INFO(method << " " << path << ": " << got.body);
      CHECK(got.status == status);
      for (auto& [name, text] : got.fields)
        told += name + ": " + text + "\n";
      told += got.body;
    };
    ask("GET", "/v1/jobs", "Bearer " + key, 200);
    ask("POST", "/v1/jobs", "Bearer " + key, 403);
    ask("GET", "/nothing", "Bearer " + key, 404);
    ask("GET", "/v1/jobs?limit=x", "Bearer " + key, 400);
    ask("GET", "/v1/jobs", "Bearer " + key + "x", 401);
    ask("GET", "/v1/jobs", "Bearer x" + key, 401);
    ask("GET", "/v1/jobs", "Basic " + key, 401);
    ask("GET", "/v1/jobs", key, 401);
    ask("GET", "/metrics", "Bearer " + key, 200);
    ask("GET", "/v1/jobs/" + key, "Bearer " + key, 404);
    ask("GET", "/" + key, "Bearer " + key, 404);
    ask("GET", "/v1/jobs?state=" + key, "Bearer " + key, 400);
    ask("GET", "/v1/jobs?" + key + "=1", "Bearer " + key, 400);
    auto encoded = "trp%5F" + key.substr(4, 8) + "%5F" + secret;
    ask("GET", "/v1/jobs/" + encoded, "Bearer " + key, 404);
    ask("POST", "/v1/jobs:cancel?dry_run&label=a=" + encoded, "Bearer " + admin, 200);
    variable url{"TROUPE_URL", "http://127.0.0.1:" + std::to_string(x.port())};
    told += troupe_with(in, {"jobs", "get", key, "--token", key}).err;
    told += troupe_with(in, {"jobs", "list", key}).err;
    http_client malformed{x.port()}; // The key is in what is no header.
    malformed.send("GET /v1/jobs HTTP/1.1\r\nAuthorization Bearer " + key + "\r\n\r\n");
    told += malformed.read().body;
    http_client misplaced{x.port()}; // By mistake in the path, which the log has.
    CHECK(misplaced.ask("GET", "/v1/jobs/" + key + "?key=" + key).status == 404);
    auto as_admin = "Authorization: Bearer " + admin + "\r\n"; // Changes are written down.
    CHECK(misplaced.ask("DELETE", "/v1/keys/" + key, "", as_admin).status == 404);
    CHECK(misplaced.ask("POST", "/v1/jobs:cancel?token=" + key, "", as_admin).status == 400);
    x.send(SIGTERM);
    auto ended = x.wait();
    CHECK(ended.code == 0);
    told += ended.err + ended.out;
  }
  CHECK(told.find("no_key") != told.npos);
  CHECK(told.find("troupe_http_requests_total") != told.npos);
  CHECK(told.find(secret) == told.npos);
  auto audit = read_file(in.path() / ".troupe" / "audit" / "audit-000001.ndjson");
  CHECK(audit.find("/v1/keys/" + key.substr(0, key.size() - secret.size())) != audit.npos);
  CHECK(audit.find("/v1/jobs:cancel?token=") != audit.npos);
  for (auto& file : fs::recursive_directory_iterator{in.path() / ".troupe"})
    if (file.is_regular_file() && file.file_size() < (1 << 20)) {
      INFO(file.path());
      CHECK(read_file(file.path()).find(secret) == std::string::npos);
    }
}
