#include "graph_json/value_json.hpp"
#include "node/config/addresses.hpp"
#include "node/config/parse_config.hpp"
#include "tests/support/catch.hpp"

using namespace troupe;
using namespace troupe::node;
using namespace std::chrono_literals;

namespace {

/// `code pointer` of each problem.
std::vector<std::string> wrong(const problems& all) {
  std::vector<std::string> told;
  for (auto& x : all)
    told.push_back(x.code + " " + x.pointer);
  return told;
}

node_config read(std::string_view text, std::vector<std::string> environment = {}) {
  auto parsed = parse_config(text, environment);
  CHECK(wrong(parsed.errors) == std::vector<std::string>{});
  return parsed.config;
}

} // namespace

TEST_CASE("an empty configuration is the default", "[config]") {
  CHECK(changes_of(node_config{}, read("{}")).empty());
}

TEST_CASE("each key of a configuration goes where it belongs", "[config]") {
  auto x = read(R"({"data_dir": "d", "http": {"port": 1, "tls": {"cert": "c", "key": "k"},
    "allowed_hosts": ["a", "b"], "idle_timeout": "PT5S", "metrics_need_key": true},
    "storage": {"min_free_bytes": 9}, "runtime": {"cancel_grace": "3s", "shards": 8},
    "retention": {"queues": {"mail": {"failed": {"age": "1h"}}}, "completed": {"age": "2d"}},
    "log": {"level": "debug", "modules": {"http": "off"}}})");
  CHECK(x.runtime.data_dir == "d");
  CHECK(x.http.port == 1);
  CHECK(x.http.tls.key == "k");
  CHECK(x.http.allowed_hosts == std::vector<std::string>{"a", "b"});
  CHECK(x.http.idle_timeout == 5s);
  CHECK(x.http.metrics_need_key);
  CHECK(x.min_free_bytes == 9);
  CHECK(x.runtime.cancel_grace == 3s);
  CHECK(x.runtime.shards == 8);
  CHECK(x.runtime.retention.completed.age == 48h);
  CHECK(x.runtime.queue_retention.at("mail").failed.age == 1h);
  CHECK(x.log.modules.at("http") == "off");
}

TEST_CASE("a queue's retention is the general one where it says nothing", "[config]") {
  auto x = read(R"({"retention": {"queues": {"mail": {}}, "stopped": {"age": "2d"}}})");
  CHECK(x.runtime.queue_retention.at("mail").stopped.age == 48h);
}

TEST_CASE("all that is wrong with a configuration is told at once", "[config]") {
  auto parsed = parse_config(R"({"http": {"port": 70000, "prot": 1, "adress": 2, "port": 3,
    "tls": []}, "log": {"level": "loud"}, "runtime": 5, "data_dir": "",
    "kinds": {"allow": [""]}, "metrics": {"max_flows": 1.5},
    "retention": {"failed": {"age": "never"}, "queues": {"a b": {"ended": {}}}}})");
  CHECK(wrong(parsed.errors)
        == std::vector<std::string>{
            "unknown_key /http/prot", "unknown_key /http/adress", "duplicate_key /http",
            "wrong_type /http/tls", "wrong_type /runtime", "bad_value /data_dir",
            "out_of_range /http/port", "bad_value /kinds/allow/0",
            "bad_duration /retention/failed/age", "bad_name /retention/queues/a b",
            "unknown_key /retention/queues/a b/ended", "out_of_range /metrics/max_flows",
            "bad_value /log/level"});
}

TEST_CASE("a problem of a configuration says what is allowed", "[config]") {
  auto detail = [](std::string_view text) {
    auto parsed = parse_config(text);
    REQUIRE(parsed.errors.size() == 1);
    return parsed.errors[0].detail;
  };
  CHECK(detail(R"({"http": {"port": -1}})") == "expected an integer of 0 to 65535");
  CHECK_THAT(detail(R"({"http": {"prot": 1}})"), Catch::Contains("did you mean `port`?"));
  CHECK_THAT(detail(R"({"log": {"level": "inf"}})"), Catch::Contains("did you mean `info`?"));
  CHECK_THAT(detail(R"({"http": {"read_timeout": "1ms"}})"), Catch::Contains("at least 100ms"));
  CHECK_THAT(detail("{\"http\":\n {]}"), Catch::Contains("line 2, column 3"));
}

TEST_CASE("what is no object is no configuration", "[config]") {
  for (auto text : {"[]", "7", "null", "\"x\""})
    CHECK(wrong(parse_config(text).errors) == std::vector<std::string>{"wrong_type "});
  CHECK(parse_config("").errors.at(0).code == "syntax");
  CHECK(parse_config_file("/nowhere/node.json").errors.at(0).code == "io_failed");
}

TEST_CASE("variables of the environment go before the file", "[config]") {
  auto x = read(R"({"http": {"port": 1, "address": "::1"}})",
                {"TROUPE_HTTP_PORT=2", "TROUPE_DATA_DIR=7", "TROUPE_HTTP_ALLOWED_HOSTS=a,b",
                 "TROUPE_KINDS_ALLOW=[\"*\"]", "TROUPE_RUNTIME_CANCEL_GRACE=3s",
                 "TROUPE_SECURITY_AUDIT=false", "TROUPE_LOG_MODULES={\"http\":\"warn\"}",
                 "TROUPE_RETENTION_FAILED_AGE=1d", "TROUPE_TOKEN=secret", "HOME=/root"});
  CHECK(x.http.port == 2);
  CHECK(x.http.address == "::1");
  CHECK(x.runtime.data_dir == "7");
  CHECK(x.http.allowed_hosts == std::vector<std::string>{"a", "b"});
  CHECK(x.kinds.allow == std::vector<std::string>{"*"});
  CHECK(x.runtime.cancel_grace == 3s);
  CHECK_FALSE(x.security.audit);
  CHECK(x.log.modules.at("http") == "warn");
  CHECK(x.runtime.retention.failed.age == 24h);
}

TEST_CASE("a variable that is wrong is told by its name", "[config]") {
  std::vector<std::string> all{"TROUPE_HTTP_PORT=x", "TROUPE_HTTP_PROT=1", "TROUPE_LOG_LEVEL=no",
                               "TROUPE_SEED=1"};
  auto errors = parse_config("{}", all).errors;
  CHECK(
      wrong(errors)
      == std::vector<std::string>{"wrong_type /http/port", "bad_value /log/level", "unknown_key "});
  CHECK_THAT(errors.at(0).detail, Catch::Contains("TROUPE_HTTP_PORT"));
  CHECK_THAT(errors.at(2).detail, Catch::Contains("did you mean `TROUPE_HTTP_PORT`?"));
  CHECK(parse_config("{}", all).of_variables == 3);
  CHECK(parse_config(R"({"http": {"prot": 1}})", all).of_variables == 3);
}

TEST_CASE("what goes across keys is checked", "[config]") {
  node_config x;
  CHECK(check_config(x).empty());
  x.http.address = "example.org";
  x.http.tls.cert = "c";
  x.http.allowed_origins = {"https://a.b", "http://a:1", "a.b", "https://a/b", "https://"};
  x.kinds.allow = {"*", "exce"};
  CHECK(wrong(check_config(x))
        == std::vector<std::string>{
            "bad_value /http/address", "missing_key /http/tls", "bad_value /http/allowed_origins/2",
            "bad_value /http/allowed_origins/3", "bad_value /http/allowed_origins/4",
            "bad_value /kinds/allow/1"});
}

TEST_CASE("what could never work is refused", "[config]") {
  node_config x;
  x.http.allowed_hosts = {"a.b", "a:1", "[::1]:1", "*", "http://x", "a b", "", "a/b"};
  x.queues.exclusive = {"a", "b"};
  x.queues.exclusive_wait = {"c", "b"};
  x.log.modules = {{"http", "debug"}, {"htpp", "debug"}};
  auto found = check_config(x);
  CHECK(wrong(found)
        == std::vector<std::string>{
            "bad_value /http/allowed_hosts/4", "bad_value /http/allowed_hosts/5",
            "bad_value /http/allowed_hosts/6", "bad_value /http/allowed_hosts/7",
            "bad_value /queues/exclusive_wait/1", "bad_value /log/modules/htpp"});
  CHECK_THAT(found.back().detail, Catch::Contains("did you mean `http`?"));
}

TEST_CASE("where spans go is a URL without a password", "[config]") {
  node_config x;
  for (auto good : {"", "http://localhost:4318/v1/traces", "https://[::1]/v1/traces?key=a@b"}) {
    x.tracing.endpoint = good;
    CHECK(check_config(x).empty());
  }
  for (auto bad : {"localhost:4318", "http://", "http:///v1/traces", "http://:4318/", "http://a b/",
                   "ftp://a/", "http://me:secret@a/v1/traces"}) {
    x.tracing.endpoint = bad;
    auto found = check_config(x);
    CHECK(wrong(found) == std::vector<std::string>{"bad_value /tracing/endpoint"});
    CHECK(found.front().detail.find("secret") == std::string::npos);
  }
}

TEST_CASE("the query of a URL may have a secret, and is not shown", "[config]") {
  auto before = read(R"({"tracing": {"endpoint": "http://a/v1/traces?api-key=secret1"}})");
  auto after = read(R"({"tracing": {"endpoint": "http://a/v1/traces?api-key=secret2"}})");
  auto none = read(R"({"tracing": {"endpoint": "http://a/v1/traces"}})");
  auto all = changes_of(before, after); // It is a change all the same.
  REQUIRE(all.size() == 1);
  CHECK(all[0].pointer == "/tracing/endpoint");
  CHECK(all[0].from == R"("http://a/v1/traces?…")");
  CHECK(all[0].to == all[0].from);
  CHECK(changes_of(none, after)[0].from == R"("http://a/v1/traces")");
  node_config wrong;
  for (auto url : {"a:4318?k=secret", "http://b c/?k=secret", "http://me:secret@a/?k=secret"}) {
    wrong.tracing.endpoint = url;
    for (auto& x : check_config(wrong))
      CHECK(x.detail.find("secret") == std::string::npos);
  }
}

TEST_CASE("loopback addresses are told from others", "[config]") {
  for (auto x : {"127.0.0.1", "127.8.9.1", "::1", "localhost"})
    CHECK((is_address(x) && is_loopback(x)));
  for (auto x : {"0.0.0.0", "::", "10.0.0.1", "fe80::1", "128.0.0.1"})
    CHECK((is_address(x) && !is_loopback(x)));
  for (auto x : {"", "127.1", "localhost:80", "[::1]", "a.b", "127.0.0.1.evil"})
    CHECK_FALSE(is_address(x));
}

TEST_CASE("changes tell what takes effect at once and what needs a start", "[config]") {
  auto before = read("{}");
  auto after = read(R"({"log": {"level": "debug"}, "http": {"port": 1, "body_max_bytes": 2048}})");
  auto all = changes_of(before, after);
  REQUIRE(all.size() == 3);
  CHECK(all[0].pointer == "/http/port");
  CHECK_FALSE(all[0].is_live);
  CHECK(all[1].pointer == "/http/body_max_bytes");
  CHECK(all[1].is_live);
  CHECK(all[2].from == "\"info\"");
  CHECK(all[2].to == "\"debug\"");
  auto mixed = with_live_changes(before, after);
  CHECK(mixed.http.port == 7700);
  CHECK(mixed.http.body_max_bytes == 2048);
  CHECK(mixed.log.level == "debug");
}

TEST_CASE("variables that nothing reads are told, with what was perhaps meant", "[config]") {
  const std::vector<std::string> all{"TROUPE_DATADIR=/x",
                                     "TROUPE_TOKEN=t",
                                     "TROUPE_HTTP_PORT=1",
                                     "TROUPE_HTTP_PROT=1",
                                     "TROUPE_PORT=tcp://10.0.0.1:7700",
                                     "TROUPE_SERVICE_HOST=10.0.0.1",
                                     "PATH=/bin"};
  auto told = stray_variables(all);
  REQUIRE(told.size() == 1); // That of a section is an error.
  CHECK(told[0]
        == "the environment variable TROUPE_DATADIR names no key; did you mean `TROUPE_DATA_DIR`?");
}

TEST_CASE("addresses that stand for all of a machine are known", "[config]") {
  for (auto x : {"0.0.0.0", "::"})
    CHECK(is_wildcard(x));
  for (auto x : {"127.0.0.1", "::1", "10.0.0.1", "localhost"})
    CHECK_FALSE(is_wildcard(x));
}
