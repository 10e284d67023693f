#include "tests/e2e/json.hpp"
#include "tests/e2e/process.hpp"
#include "tests/support/http_client.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

std::uint16_t port_of(const process& node) {
  const std::string sign = "http://127.0.0.1:";
  REQUIRE(eventually([&] { return node.err().find(sign) != std::string::npos; }));
  auto text = node.err();
  return std::uint16_t(std::stoi(text.substr(text.find(sign) + sign.size())));
}

/// The status of a job of about `bytes`.
int submit(std::uint16_t port, std::size_t bytes, const std::string& key = {}) {
  http_client to{port};
  auto body = R"({"graph": {"vertices": [{"id": "a", "kind": "noop"}]}, "input": ")"
              + std::string(bytes, 'x') + "\"}";
  auto fields = key.empty() ? "" : "Authorization: Bearer " + key + "\r\n";
  return to.ask("POST", "/v1/jobs", body, fields).status;
}

} // namespace

TEST_CASE("SIGHUP has a node take over limits, and tells what needs a restart", "[e2e]") {
  scratch here;
  here.write("node.json", R"({"data_dir": "d", "http": {"port": 0}})");
  process node{here, {"serve", "-c", "node.json"}};
  auto port = port_of(node);
  CHECK(submit(port, 4000) == 201);
  here.write("node.json", R"({"data_dir": "d", "http": {"port": 0, "body_max_bytes": 2000},
                              "runtime": {"shards": 8}, "log": {"level": "debug"}})");
  node.send(SIGHUP);
  REQUIRE(eventually([&] { return submit(port, 4000) == 413; }));
  CHECK(submit(port, 10) == 201);
  CHECK_THAT(node.err(), Catch::Contains("/runtime/shards: 4 -> 8 takes effect after a restart"));
  here.write("node.json", R"({"http": {"prot": 1}})");
  node.send(SIGHUP);
  REQUIRE(eventually([&] { return node.err().find("unknown key `prot`") != std::string::npos; }));
  CHECK(submit(port, 10) == 201);
  REQUIRE(eventually([&] { return node.err().find("nothing was changed") != std::string::npos; }));
  here.write("node.json", "{");
  node.send(SIGHUP);
  REQUIRE(eventually([&] { return node.err().find(" config: line 1") != std::string::npos; }));
  node.send(SIGTERM);
  CHECK(node.wait().code == 0);
}

TEST_CASE("a node with a key lets in who has it, and writes down what they do", "[e2e]") {
  scratch here;
  auto operator_key = troupe_with(here, {"keys", "create", "--data", "d", "--name", "ci"}).out;
  auto viewer_key = troupe_with(here, {"keys", "create", "--data", "d", "--role", "viewer"}).out;
  for (auto key : {&operator_key, &viewer_key})
    key->pop_back();
  process node{here, {"serve", "--data", "d", "--port", "0"}};
  auto port = port_of(node);
  CHECK(submit(port, 1) == 401);
  CHECK(submit(port, 1, "trp_00000000_x") == 401);
  CHECK(submit(port, 1, viewer_key) == 403);
  CHECK(submit(port, 1, operator_key) == 201);
  http_client waiting{port}; // For a job that goes on.
  auto field = "Authorization: Bearer " + operator_key + "\r\n";
  auto long_job =
      R"({"graph": {"vertices": [{"id": "a", "kind": "delay", "config": {"for": "1h"}}]}})";
  auto id = waiting.ask("POST", "/v1/jobs", long_job, field).text("id");
  waiting.send(waiting.text_of("GET", "/v1/jobs/" + id + "/result?wait=300s", "", field));
  CHECK(troupe_with(here, {"keys", "revoke", "--data", "d", operator_key.substr(4, 8)}).code == 0);
  CHECK(waiting.read().status == 401);
  REQUIRE(eventually([&] { return submit(port, 1, operator_key) == 401; }));
  node.send(SIGTERM);
  CHECK(node.wait().code == 0);
  CHECK(node.err().find(operator_key.substr(13)) == std::string::npos);

  CHECK(troupe_with(here, {"audit", "verify", "--data", "d"}).code == 0);
  auto lines = lines_of(read_file(here.path() / "d" / "audit" / "audit-000001.ndjson"));
  REQUIRE(lines.size() >= 2);
  auto& last = lines[1];
  CHECK(*last.find("act")->string() == "POST /v1/jobs");
  CHECK(*last.find("outcome")->string() == "ok");
  CHECK(*last.find("who")->find("name")->string() == "ci");
  CHECK(*last.find("who")->find("key")->string() == operator_key.substr(4, 8));
  CHECK(*last.find("target")->string() == "/v1/jobs");
  REQUIRE(last.find("result"));
  CHECK(last.find("result")->string()->starts_with("/v1/jobs/"));
  CHECK(*lines[0].find("outcome")->string() == "403");
}

TEST_CASE("a node does not listen where others could call it without a key", "[e2e]") {
  scratch here;
  auto refused = troupe_with(here, {"serve", "--data", "d", "--address", "0.0.0.0"});
  CHECK(refused.code == 5);
  CHECK_THAT(refused.err, Catch::Contains("error[E0041]")
                              && Catch::Contains("troupe keys create --role admin --data d, or"));
}

TEST_CASE("serve --check tells all that is wrong with a configuration", "[e2e]") {
  scratch here;
  here.write("bad.json", R"({"http": {"port": 99999, "prot": 1}, "log": {"level": "loud"}})");
  auto refused = troupe_with(here, {"serve", "--check", "-c", "bad.json"});
  CHECK(refused.code == 1);
  for (auto place : {"bad.json: /http/port: ", "bad.json: /http/prot: ", "bad.json: /log/level: ",
                     "error[E0040]: 3 problems in bad.json\n"})
    CHECK_THAT(refused.err, Catch::Contains(place));
  {
    ::setenv("TROUPE_LOG_LEVEL", "loud", 1);
    auto both = troupe_with(here, {"serve", "--check", "-c", "bad.json"});
    ::unsetenv("TROUPE_LOG_LEVEL");
    CHECK_THAT(both.err, Catch::Contains("environment: /log/level: ")
                             && Catch::Contains("bad.json: /http/prot: ")
                             && Catch::Contains("problems in bad.json or in the environment\n"));
  }
  here.write("fair.json", R"({"http": {"port": 1}})");
  auto options = troupe_with(here, {"serve", "--check", "-c", "fair.json", "--address", "nowhere",
                                    "--tls-cert", "x.pem", "--allow-kind", "exce"});
  CHECK(options.code == 1);
  for (auto place : {"/http/address: ", "/http/tls: ", "/kinds/allow/", "3 problems"})
    CHECK_THAT(options.err, Catch::Contains(place));
  auto started = troupe_with(here, {"serve", "--address", "nowhere", "--tls-cert", "x.pem"});
  CHECK(started.code == 1);
  CHECK_THAT(started.err, Catch::Contains("options: /http/address: ")
                              && Catch::Contains("options: /http/tls: "));
  here.write("text", "no certificate");
  here.write("tls.json", R"({"http": {"prot": 1, "tls": {"cert": "text", "key": "text"}}})");
  auto tls = troupe_with(here, {"serve", "--check", "-c", "tls.json"});
  CHECK(tls.code == 1);
  CHECK_THAT(tls.err, Catch::Contains("tls.json: /http/tls/cert: cannot use text")
                          && Catch::Contains("2 problems in tls.json\n"));
  here.write("spans.json", R"({"tracing": {"endpoint": "http://a/v1/traces?api-key=secret"}})");
  for (auto how : {"table", "json", "ndjson"}) {
    auto shown = troupe_with(here, {"serve", "--check", "-c", "spans.json", "-o", how});
    CHECK(shown.code == 0);
    CHECK_THAT(shown.out, Catch::Contains("http://a/v1/traces?…") && !Catch::Contains("secret"));
  }
  auto good = troupe_with(here, {"serve", "--check", "-c", TROUPE_SOURCE_DIR "/configs/node.json"});
  CHECK(good.code == 0);
  CHECK(good.out.starts_with("ok: "));
}
