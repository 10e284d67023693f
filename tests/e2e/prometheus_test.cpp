#include "tests/e2e/json.hpp"
#include "tests/e2e/process.hpp"
#include "tests/support/http_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <optional>

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr int jobs = 40;
constexpr int broken_jobs = 3;

/// A port that nobody listened on a moment ago.
std::uint16_t free_port() {
  auto fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  ::close(fd);
  return ntohs(at.sin_port);
}

/// Debian's Prometheus at work in a directory, scraping one node each second.
class prometheus {
public:
  prometheus(const scratch& in, std::uint16_t node) : port_(free_port()) {
    auto rules = read_file(TROUPE_SOURCE_DIR "/configs/alerts.yml");
    in.write("alerts.yml", rules);
    in.write("prometheus.yml",
             "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
             "rule_files: [alerts.yml]\n"
             "scrape_configs: [{job_name: troupe, static_configs: [{targets: ['127.0.0.1:"
                 + std::to_string(node) + "']}]}]\n");
    auto listen = "--web.listen-address=127.0.0.1:" + std::to_string(port_);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      auto log = ::open((in.path() / "prometheus.log").c_str(), O_WRONLY | O_CREAT, 0600);
      ::dup2(log, STDERR_FILENO);
      if (::chdir(in.path().c_str()) == 0)
        ::execlp("prometheus", "prometheus", "--config.file=prometheus.yml",
                 "--storage.tsdb.path=tsdb", listen.c_str(), nullptr);
      ::_exit(127);
    }
  }
  ~prometheus() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  prometheus(const prometheus&) = delete;
  prometheus& operator=(const prometheus&) = delete;

  bool is_ready() const {
    http_client to{port_};
    return to.connected() && to.ask("GET", "/-/ready").status == 200;
  }

  value get(const std::string& path) const {
    http_client to{port_};
    auto reply = to.ask("GET", path);
    INFO(path << ": " << reply.body);
    REQUIRE(reply.status == 200);
    return reply.json();
  }

  /// The sum of all series of an expression; nothing if there are none.
  std::optional<double> sum(const std::string& expression) const {
    auto answer = get("/api/v1/query?query=" + escaped(expression));
    std::optional<double> sum;
    for (auto& series : *answer.find("data")->find("result")->items())
      sum = sum.value_or(0) + std::stod(*(*series.find("value")->items())[1].string());
    return sum;
  }

  static std::string escaped(const std::string& text) {
    constexpr auto digits = "0123456789ABCDEF";
    std::string out;
    for (unsigned char c : text)
      if (std::isalnum(c))
        out += char(c);
      else
        (((out += '%') += digits[c >> 4]) += digits[c & 15]);
    return out;
  }

private:
  std::uint16_t port_;
  pid_t pid_ = -1;
};

/// The port that a node says it serves on.
std::uint16_t port_of(const process& node) {
  const std::string sign = "http://127.0.0.1:";
  REQUIRE(eventually([&] { return node.err().find(sign) != std::string::npos; }));
  auto text = node.err();
  return std::uint16_t(std::stoi(text.substr(text.find(sign) + sign.size())));
}

void run_jobs(std::uint16_t port) {
  http_client to{port};
  auto submit = [&](const std::string& graph) {
    auto made = to.ask("POST", "/v1/jobs", "{\"graph\": " + graph + "}");
    REQUIRE(made.status == 201);
    auto ended = to.ask("GET", "/v1/jobs/" + made.text("id") + "/result?wait=30s");
    CHECK(ended.status != 202);
  };
  for (int i = 0; i < jobs; ++i)
    submit(R"({"name": "good", "vertices": [{"id": "a", "kind": "noop"}]})");
  for (int i = 0; i < broken_jobs; ++i)
    submit(R"j({"name": "bad", "vertices": [{"id": "a", "kind": "jq", )j"
           R"j("config": {"program": "error(\"no\")"}}]})j");
}

void replace_all(std::string& in, const std::string& what, const std::string& with) {
  for (auto at = in.find(what); at != in.npos; at = in.find(what, at + with.size()))
    in.replace(at, what.size(), with);
}

} // namespace

TEST_CASE("Prometheus has the numbers of a node, and answers every dashboard", "[e2e]") {
  scratch here;
  process node{here, {"serve", "--port", "0", "--data", "data"}};
  auto port = port_of(node);
  run_jobs(port);
  prometheus server{here, port};
  REQUIRE(eventually([&] { return server.is_ready(); }));
  REQUIRE(eventually([&] {
    return server.sum(R"(troupe_jobs_finished_total{flow_id="good",status="completed"})") == jobs;
  }));

  CHECK(server.sum("troupe_queue_jobs") == 0);
  CHECK(server.sum(R"(troupe_job_wait_seconds_count{task_type="job"})") == jobs + broken_jobs);
  CHECK(server.sum(R"(troupe_jobs_finished_total{flow_id="bad",status="failed"})") == broken_jobs);
  CHECK(server.sum(R"(troupe_job_run_seconds_count{flow_id="good",task_type="noop"})") == jobs);
  CHECK(server.sum(R"(troupe_errors_total{flow_id="bad"})") == 2 * broken_jobs); // Vertex and job.
  CHECK(server.sum(R"(troupe_resource_usage_ratio{resource_type="memory"})") > 0);
  CHECK(server.sum(R"(troupe_jobs{state="completed"})") == jobs);
  CHECK(server.sum(R"(troupe_http_requests_total{route="/v1/jobs",code="201"})")
        == jobs + broken_jobs);

  for (auto file : {"overview", "jobs", "store"}) {
    auto board =
        json_of(read_file(std::string{TROUPE_SOURCE_DIR "/configs/grafana/"} + file + ".json"));
    for (auto& panel : *board.find("panels")->items())
      for (auto& target : *panel.find("targets")->items()) {
        auto query = *target.find("expr")->string();
        replace_all(query, "$instance", ".*");
        replace_all(query, "$__rate_interval", "1m");
        auto answer = server.get("/api/v1/query?query=" + prometheus::escaped(query));
        INFO(query);
        CHECK(*answer.find("status")->string() == "success");
      }
  }
  auto groups = server.get("/api/v1/rules").find("data")->find("groups")->items()->size();
  CHECK(groups == 1);
  node.send(SIGTERM);
  CHECK(node.wait().code == 0);
}
