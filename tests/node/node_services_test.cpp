#include "node/open_files.hpp"
#include "node/served_node.hpp"

#include "graph_json/value_json.hpp"
#include "node/security/audit_files.hpp"
#include "tests/metrics/text_format.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "troupe/graph_builder.hpp"

#include <sys/resource.h>
#include <thread>

using namespace troupe;
using namespace troupe::node;
using namespace std::chrono_literals;

namespace {

/// This process may have so many open files, for a while.
class file_limit {
public:
  explicit file_limit(rlim_t most) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    auto now = before_;
    now.rlim_cur = most;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &now) == 0);
  }
  ~file_limit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  file_limit(const file_limit&) = delete;
  file_limit& operator=(const file_limit&) = delete;

private:
  rlimit before_{};
};

struct fixture : tests::temp_dir {
  std::string file = path() / "node.json";
  std::string log_file = path() / "log";
  std::FILE* log_to = std::fopen(log_file.c_str(), "w");
  std::unique_ptr<node_services> services;

  ~fixture() {
    services.reset();
    std::fclose(log_to);
  }

  void write(const std::string& text) { std::ofstream{file} << text; }

  node_config read(const std::string& text) {
    write(text);
    auto parsed = parse_config_file(file);
    REQUIRE(parsed.errors.empty());
    parsed.config.runtime.data_dir = path() / "data";
    return parsed.config;
  }

  void open(const std::string& text) {
    auto opened = node_services::open(read(text), file, ::fileno(log_to));
    REQUIRE(opened);
    services = std::move(*opened);
  }

  /// What was logged; ends the services.
  std::string logged() {
    services.reset();
    return tests::read_file(log_file);
  }
};

} // namespace

TEST_CASE_METHOD(fixture, "services are refused where others could call without a key", "[node]") {
  auto exposed =
      node_services::open(read(R"({"http": {"address": "0.0.0.0"}})"), file, ::fileno(log_to));
  REQUIRE_FALSE(exposed);
  CHECK(exposed.trouble().kind->name == "needs_key");
  auto made = create_key(path() / "data" / "keys.json", role::admin, "a", {}, {});
  REQUIRE(made);
  open(R"({"http": {"address": "0.0.0.0"}})");
  CHECK_FALSE(services->check(""));
  CHECK(services->check(made->text)->role == role::admin);
}

TEST_CASE_METHOD(fixture, "a reload takes over what is live and tells the rest", "[node]") {
  open("{}");
  CHECK_FALSE(services->log().wants(log_level::debug, "http"));
  write(R"({"log": {"modules": {"http": "debug"}}, "http": {"port": 1, "body_max_bytes": 4096}})");
  CHECK(services->reload());
  CHECK(services->log().wants(log_level::debug, "http"));
  CHECK(services->config().http.body_max_bytes == 4096);
  CHECK(services->config().http.port == 7700);
  auto text = logged();
  CHECK_THAT(text, Catch::Contains("/http/body_max_bytes: 8388608 -> 4096"));
  CHECK_THAT(text, Catch::Contains("/http/port: 7700 -> 1 takes effect after a restart"));
}

TEST_CASE_METHOD(fixture, "kinds are allowed by name, also after a reload", "[node]") {
  open("{}");
  CHECK(services->allows_kind("jq"));
  CHECK_FALSE(services->allows_kind("exec"));
  write(R"({"kinds": {"allow": ["*"]}})");
  CHECK(services->reload());
  CHECK(services->allows_kind("exec"));
}

TEST_CASE_METHOD(fixture, "what the command line says goes before what a reload reads", "[node]") {
  open("{}");
  services->adjust_reloads([](node_config x) {
    x.kinds.allow.push_back("exec");
    return x;
  });
  write(R"({"kinds": {"allow": ["jq"]}})");
  CHECK(services->reload());
  CHECK(services->allows_kind("exec"));
  CHECK_FALSE(services->allows_kind("noop"));
}

TEST_CASE_METHOD(fixture, "a reload of what is wrong changes nothing", "[node]") {
  open("{}");
  write(R"({"log": {"level": "debug"}, "http": {"prot": 1}})");
  CHECK_FALSE(services->reload());
  CHECK_FALSE(services->log().wants(log_level::debug, "a"));
  CHECK_THAT(logged(), Catch::Contains(" error config: /http/prot: unknown key"));
}

TEST_CASE_METHOD(fixture, "changes are written down once there is an audit log", "[node]") {
  open("{}");
  services->audit({});
  REQUIRE(services->open_audit());
  services->audit({{}, "job.cancel", "j", "ok", "r", {}});
  auto directory = services->config().audit_dir();
  services.reset();
  auto report = verify_audit(directory);
  REQUIRE(report);
  CHECK(report->lines == 1);
}

TEST_CASE_METHOD(fixture, "a node whose disk is nearly full is not ready", "[node][ready]") {
  open(R"({"http": {"port": 0}, "storage": {"min_free_bytes": 1000000000000000}})");
  auto node = runtime::open(services->for_runtime());
  REQUIRE(node);
  auto options = http_of(services->config(), *services);
  auto server = http::server::open(options);
  REQUIRE(server);
  auto parts = api_of(*node, services->config(), *services, **server).ready_parts();
  std::map<std::string, ec> told;
  for (auto& x : parts)
    told[x.name] = x.now.code();
  CHECK(
      told
      == std::map<std::string, ec>{
          {"disk", ec::no_space}, {"snapshot", ec::none}, {"lag", ec::none}, {"audit", ec::none}});
}

TEST_CASE_METHOD(fixture, "an audit log that has failed is tried again by itself", "[node]") {
  open(R"({"security": {"audit_file_bytes": 4096}})");
  REQUIRE(services->open_audit());
  services->look_at_audit(); // All is well: nothing is written.
  auto directory = services->config().audit_dir(), aside = path() / "aside";
  auto until = std::chrono::steady_clock::now() + 60s;
  auto wait_for = [&](auto is_so) {
    while (!is_so() && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
    CHECK(is_so());
  };
  auto write_line = [&] {
    services->audit({{}, "job.cancel", std::string(900, 'j'), "ok", "r", {}});
  };
  for (int i = 0; i < 5; ++i)
    write_line();
  auto first = directory / "audit-000001.ndjson";
  wait_for([&] {
    std::error_code not_yet;
    auto size = std::filesystem::file_size(first, not_yet);
    return !not_yet && size > 4500;
  });
  std::filesystem::rename(directory, aside);
  write_line(); // The next file cannot be begun.
  wait_for([&] { return !services->may_change(); });
  std::filesystem::rename(aside, directory);
  services->look_at_audit();
  wait_for([&] { return bool(services->may_change()); });
  services.reset();
  auto report = verify_audit(directory);
  REQUIRE(report);
  CHECK_FALSE(report->broken);
}

TEST_CASE("connections leave the store the files that it needs", "[node]") {
  CHECK(connections_within(65'536, 10'000) == 10'000);
  CHECK(connections_within(10'000 + files_besides, 10'000) == 10'000);
  CHECK(connections_within(10'000 + files_besides - 1, 10'000) == 9'999);
  CHECK(connections_within(2 * files_besides, 10'000) == files_besides);
  CHECK(connections_within(151, 10'000) == 75);
  CHECK(connections_within(std::uint64_t(-1), 10'000) == 10'000);
}

TEST_CASE_METHOD(fixture, "a node takes no more connections than it has files for, and says so",
                 "[node]") {
  open(R"({"http": {"connections_max": 5000}})");
  {
    file_limit few{300};
    auto options = http_of(services->config(), *services);
    CHECK(options.connections_max == 150);
    CHECK(options.connections_reserved == 15);
  }
  auto text = logged();
  CHECK_THAT(text, Catch::Contains("http.connections_max is 5000, but at most 150 connections"));
  CHECK_THAT(text, Catch::Contains("only 300 open files"));
  CHECK_THAT(text, Catch::Contains("LimitNOFILE=6024"));
}

TEST_CASE_METHOD(fixture, "names of hosts and origins are taken without regard to case", "[node]") {
  open(R"({"http": {"allowed_hosts": ["Node.Example"],
                    "allowed_origins": ["https://Page.Example"]}})");
  auto options = http_of(services->config(), *services);
  CHECK(http::names_this(options, "nodE.example:80"));
  CHECK(http::may_call(options, "https://page.exAmple", "localhost"));
  CHECK_FALSE(http::names_this(options, "other.example"));
}

TEST_CASE_METHOD(fixture, "a line of the audit log says what was asked for", "[node]") {
  open("{}");
  REQUIRE(services->open_audit());
  auto options = http_of(services->config(), *services);
  CHECK(options.may_change());
  const principal who{"1a2b3c4d", "ci", {}, role::operator_};
  http::served line;
  line.route = "/v1/jobs:purge";
  line.method = "POST";
  line.status = 200;
  line.who = &who;
  line.target = "/v1/jobs:purge?queue=q&dry_run";
  line.done = "jobs 2, refused 0";
  options.audit(line);
  line.gone = true;
  options.audit(line);
  auto file = audit_file_path(services->config().audit_dir(), 1);
  services.reset();
  auto lines = graph_json::parse_ndjson(tests::read_file(file));
  REQUIRE(lines);
  REQUIRE(lines->size() == 2);
  auto text = [](const value& x, const char* key) { return *x.find(key)->string(); };
  CHECK(text(lines->front(), "act") == "POST /v1/jobs:purge");
  CHECK(text(lines->front(), "target") == "/v1/jobs:purge?queue=q&dry_run");
  CHECK(text(lines->front(), "result") == "jobs 2, refused 0");
  CHECK(text(lines->front(), "outcome") == "ok");
  CHECK(text(lines->back(), "outcome") == "gone");
}

TEST_CASE_METHOD(fixture, "metrics have the numbers of a real run", "[node]") {
  open("{}");
  auto node = runtime::open(services->for_runtime());
  REQUIRE(node);
  job_spec spec;
  auto graph = node->add_graph(graph_builder{"etl"}.add("a", "noop", {}).build());
  REQUIRE(graph);
  spec.graph = *graph;
  for (int i = 0; i < 10; ++i) {
    auto id = node->submit(spec);
    REQUIRE(id);
    REQUIRE(node->wait(*id, 60s));
  }
  tests::scraped_text now{services->metrics_text(*node, {{"http_connections", 7, 10}})};
  CHECK(now.at(R"(troupe_jobs_finished_total{flow_id="etl",status="completed"})") == 10);
  CHECK(now.at(R"(troupe_job_wait_seconds_count{flow_id="etl",task_type="job"})") == 10);
  CHECK(now.at(R"(troupe_job_run_seconds_count{flow_id="etl",task_type="job"})") == 10);
  CHECK(now.at(R"(troupe_attempts_total{kind="noop",outcome="succeeded"})") == 10);
  CHECK(now.at(R"(troupe_jobs{queue="default",state="completed"})") == 10);
  CHECK(now.at(R"(troupe_queue_jobs{flow_id="etl"})") == 0);
  CHECK(now.at("troupe_journal_commit_seconds_count") >= 10);
  CHECK(now.at(R"(troupe_store_bytes{kind="journal"})") > 0);
  CHECK(now.at(R"(troupe_vertices{state="running"})") == 0);
  CHECK(now.at(R"(troupe_limit_in_use{limit="running_jobs"})") == 0);
  CHECK(now.at(R"(troupe_limit_max{limit="http_connections"})") == 10);
  CHECK(now.has(R"(troupe_mailbox_depth{actor="shard"})"));
  node->close();
}

TEST_CASE_METHOD(fixture, "what a runtime does not tell is left out of metrics, and logged once",
                 "[node]") {
  open("{}");
  auto node = runtime::open(services->for_runtime());
  REQUIRE(node);
  node->close();
  for (int i = 0; i < 2; ++i) {
    tests::scraped_text now{services->metrics_text(*node, {{"http_connections", 7, 10}})};
    CHECK_FALSE(now.has("troupe_snapshot_lag_bytes"));
    CHECK_FALSE(now.has(R"(troupe_disk_bytes{kind="free"})"));
    CHECK_FALSE(now.has(R"(troupe_limit_max{limit="running_jobs"})"));
    CHECK(now.at(R"(troupe_limit_max{limit="http_connections"})") == 10);
    CHECK(now.has("process_open_fds"));
  }
  auto text = logged();
  for (std::string what : {"queues", "store", "actors"}) {
    INFO(text);
    auto line = text.find(" warn metrics: /metrics is without");
    REQUIRE(line != text.npos);
    CHECK(text.find(what) != text.npos);
    text.erase(0, text.find('\n', line) + 1);
  }
  CHECK(text.find("/metrics is without") == text.npos);
}
