#include "tests/e2e/json.hpp"
#include "tests/e2e/node.hpp"
#include "tests/support/http_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <optional>

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr int held_jobs = 20, running_max = 2 * 4;
constexpr int jobs_wanted = 40; ///< Of the load, while Prometheus looks.

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

/// Waits for a file.
const std::string held = R"({"name": "held", "vertices": [{"id": "a", "kind": "exec",
  "config": {"shell": "until [ -e go ]; do sleep 0.02; done"}}]})";
const std::string good = R"({"name": "good", "vertices": [{"id": "a", "kind": "noop"}]})";
const std::string bad = R"j({"name": "bad", "vertices": [{"id": "a", "kind": "jq",
  "config": {"program": "error(\"no\")"}}]})j";

std::string submit(http_client& to, const std::string& graph) {
  auto made = to.ask("POST", "/v1/jobs", "{\"graph\": " + graph + "}");
  INFO(made.body);
  REQUIRE(made.status == 201);
  return made.text("id");
}

/// A client beside the test that submits jobs, good and bad ones, and reads the events of each to
/// the end.
class load {
public:
  load(const scratch& in, std::uint16_t port) : in_(in) {
    in.write("good.json", "{\"graph\": " + good + "}");
    in.write("bad.json", "{\"graph\": " + bad + "}");
    in.write("load.sh", R"(set -e
until [ -e stop ]; do
  for file in good good good bad; do
    job=$(curl -sSf -o /dev/null -w '%header{location}' -H 'Content-Type: application/json' \
          -d @$file.json "$1/v1/jobs")
    curl -sSfN -o /dev/null "$1$job/events"
    echo $file >> done
  done
done
)");
    auto url = "http://127.0.0.1:" + std::to_string(port);
    process_.emplace(in, std::vector<std::string>{"sh", "load.sh", url}, "", "/usr/bin/env");
  }

  /// Ends it; what it has sent is done.
  void end() {
    in_.write("stop", "");
    auto ended = process_->wait();
    INFO(ended.err);
    REQUIRE(ended.code == 0);
  }
  /// How many jobs of a graph are done.
  int done(const std::string& graph) const {
    std::istringstream all{read_file(in_.path() / "done")};
    int n = 0;
    for (std::string line; std::getline(all, line);)
      n += line == graph;
    return n;
  }

private:
  const scratch& in_;
  std::optional<process> process_;
};

void replace_all(std::string& in, const std::string& what, const std::string& with) {
  for (auto at = in.find(what); at != in.npos; at = in.find(what, at + with.size()))
    in.replace(at, what.size(), with);
}

/// Panels whose numbers need an accident: a client that is refused, an actor or a worker that
/// fails.
bool is_of_accidents(const std::string& title) {
  return title == "Refused" || title == "Actors that failed" || title == "Leases that ran out";
}

/// Whether some series of an answer has a number.
bool has_number(const value& answer) {
  for (auto& series : *answer.find("data")->find("result")->items())
    if (*(*series.find("value")->items())[1].string() != "NaN")
      return true;
  return false;
}

/// The queries of a dashboard by panels, as Grafana would send them.
std::vector<std::pair<std::string, std::string>> queries_of(const std::string& board) {
  std::vector<std::pair<std::string, std::string>> all;
  auto file = json_of(read_file(std::string{TROUPE_SOURCE_DIR "/configs/grafana/"} + board));
  for (auto& panel : *file.find("panels")->items())
    for (auto& target : *panel.find("targets")->items()) {
      auto query = *target.find("expr")->string();
      replace_all(query, "$instance", ".*");
      replace_all(query, "$__rate_interval", "1m");
      all.emplace_back(*panel.find("title")->string(), query);
    }
  return all;
}

/// What a family of histograms tells of a graph: a sum, as many in its buckets as in all, and a
/// quantile that lies within them.
void check_histogram(const prometheus& server, const std::string& family,
                     const std::string& labels) {
  INFO(family << labels);
  REQUIRE(eventually([&] { return server.sum(family + "_sum" + labels).value_or(0) > 0; }));
  auto of = [&](const std::string& le) {
    auto inner = labels.substr(0, labels.size() - 1) + ",le=\"" + le + "\"}";
    return "sum(" + family + "_bucket" + inner + ")";
  };
  CHECK(server.sum(of("+Inf") + " == sum(" + family + "_count" + labels + ")") > 0);
  auto quantile = "histogram_quantile(0.95, sum by (le) (" + family + "_bucket" + labels + "))";
  CHECK(server.sum(quantile) > 0);
}

} // namespace

TEST_CASE("Prometheus has the numbers of a node under load, and answers every dashboard", "[e2e]") {
  scratch here;
  variable few{"TROUPE_RUNTIME_RUNNING_JOBS_MAX", "2"}; // Of each of its shards.
  process node{here, {"serve", "--port", "0", "--data", "data", "--allow-kind", "exec"}};
  auto port = port_of(node);
  prometheus server{here, port};
  REQUIRE(eventually([&] { return server.is_ready(); }));
  http_client client{port};
  std::vector<std::string> waiting;
  while (waiting.size() < held_jobs)
    waiting.push_back(submit(client, held));
  // Queue depth while jobs wait, and the oldest of them.
  const std::string depth = R"(troupe_queue_jobs{flow_id="held"})";
  REQUIRE(eventually([&] {
    auto now = server.sum(depth).value_or(0);
    return now >= held_jobs - running_max && now < held_jobs;
  }));
  REQUIRE(
      eventually([&] { return server.sum("troupe_queue_oldest_age_seconds").value_or(0) > 0; }));
  here.write("go", "");
  load beside{here, port};
  REQUIRE(eventually([&] { return server.sum(depth) == 0; }));
  REQUIRE(eventually([&] { return beside.done("good") >= jobs_wanted; }));

  REQUIRE(eventually([&] {
    return server.sum(R"(troupe_jobs_finished_total{flow_id="held",status="completed"})")
               == held_jobs
           && server.sum(R"(troupe_jobs_finished_total{flow_id="good",status="completed"})")
                  >= jobs_wanted;
  }));
  CHECK(server.sum(R"(troupe_jobs_finished_total{flow_id="bad",status="failed"})") > 0);
  CHECK(server.sum(R"(troupe_errors_total{flow_id="bad"})") > 0);
  // The other jobs may start and end within the same millisecond.
  check_histogram(server, "troupe_job_wait_seconds", R"({flow_id="held",task_type="job"})");
  for (auto type : {"job", "exec"})
    check_histogram(server, "troupe_job_run_seconds",
                    R"({flow_id="held",task_type=")" + std::string{type} + "\"}");
  for (auto type : {"cpu", "memory"}) {
    auto ratio = R"(troupe_resource_usage_ratio{resource_type=")" + std::string{type} + "\"}";
    REQUIRE(eventually([&] { return server.sum(ratio).value_or(0) > 0; }));
    CHECK(server.sum(ratio) <= 1.5);
  }

  for (auto file : {"overview.json", "jobs.json", "store.json"})
    for (auto& [title, query] : queries_of(file)) {
      INFO(file << ", " << title << ": " << query);
      auto ask = [&, path = "/api/v1/query?query=" + prometheus::escaped(query)] {
        auto answer = server.get(path);
        CHECK(*answer.find("status")->string() == "success");
        return has_number(answer);
      };
      if (is_of_accidents(title))
        ask();
      else
        CHECK(eventually(ask));
    }
  beside.end();
  auto good_jobs = beside.done("good"), bad_jobs = beside.done("bad");
  auto all_jobs = held_jobs + good_jobs + bad_jobs;
  REQUIRE(eventually([&] { return server.sum("troupe_jobs_finished_total") == all_jobs; }));
  CHECK(server.sum(R"(troupe_job_wait_seconds_count{task_type="job"})") == all_jobs);
  CHECK(server.sum(R"(troupe_job_run_seconds_count{flow_id="good",task_type="noop"})")
        == good_jobs);
  CHECK(server.sum(R"(troupe_errors_total{flow_id="bad"})") == 2 * bad_jobs); // Vertex and job.
  CHECK(server.sum(R"(troupe_jobs{state="completed"})") == held_jobs + good_jobs);
  CHECK(server.sum(R"(troupe_http_requests_total{route="/v1/jobs",code="201"})") == all_jobs);
  CHECK(server.sum("troupe_queue_jobs") == 0);
  auto groups = server.get("/api/v1/rules").find("data")->find("groups")->items()->size();
  CHECK(groups == 1);
  node.send(SIGTERM);
  CHECK(node.wait().code == 0);
}
