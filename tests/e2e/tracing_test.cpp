#include "core/trace.hpp"
#include "tests/e2e/json.hpp"
#include "tests/e2e/process.hpp"
#include "tests/support/environment_variable.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/http_receiver.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

const std::string trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string parent = "00f067aa0ba902b7";
const std::string header = "traceparent: 00-" + trace_id + "-" + parent + "-01\r\n";

/// A program that tells the trace it was told, and a worker's vertex behind it.
const std::string traced = R"({"graph":{"name":"traced","vertices":[
  {"id":"tell","kind":"exec","config":{"shell":"printf %s \"$TRACEPARENT\""}},
  {"id":"work","kind":"worker","config":{"task":"t"}}],
  "edges":[{"from":"tell","to":"work"}],"result":["tell","work"]}})";

struct traced_node : process {
  explicit traced_node(const scratch& in)
      : process(in, {"serve", "--port", "0", "--allow-kind", "exec"}) {
    REQUIRE(eventually([this] { return err().find("serving http://") != std::string::npos; }));
    auto text = err();
    port = static_cast<std::uint16_t>(
        std::stoi(text.substr(text.find(':', text.find("http://") + 7) + 1)));
  }
  std::uint16_t port = 0;
};

/// A collector that takes connections, and answers nothing.
class silent_receiver {
public:
  silent_receiver() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto address = reinterpret_cast<sockaddr*>(&at);
    REQUIRE(::bind(listener_, address, size) == 0);
    REQUIRE(::listen(listener_, 8) == 0); // The system takes what nobody accepts.
    REQUIRE(::getsockname(listener_, address, &size) == 0);
    port_ = ntohs(at.sin_port);
  }
  ~silent_receiver() { ::close(listener_); }
  silent_receiver(const silent_receiver&) = delete;
  silent_receiver& operator=(const silent_receiver&) = delete;

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  /// Waits until somebody has come.
  bool is_called() const {
    pollfd caller{listener_, POLLIN, 0};
    return ::poll(&caller, 1, static_cast<int>(std::chrono::milliseconds{patience}.count())) == 1;
  }

private:
  int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::uint16_t port_ = 0;
};

/// The sum of the numbers that stand before these words.
int before(const std::string& text, const std::string& words) {
  int sum = 0;
  for (auto at = text.find(words); at != text.npos; at = text.find(words, at + 1))
    sum += std::stoi(text.substr(text.rfind(' ', at - 1) + 1));
  return sum;
}

/// Every span that a receiver has got.
std::vector<value> spans_in(const std::vector<http_receiver::request>& all) {
  std::vector<value> spans;
  for (auto& x : all) {
    auto body = json_of(x.body);
    for (auto& resource : *body.find("resourceSpans")->items())
      for (auto& scope : *resource.find("scopeSpans")->items())
        for (auto& span : *scope.find("spans")->items())
          spans.push_back(span);
  }
  return spans;
}

job_id id_of(const std::string& text) {
  auto id = parse_job_id(text);
  REQUIRE(id);
  return *id;
}

/// The id of a span as OTLP has it.
std::string hex(std::uint64_t span) { return core::to_text({{1}, span, true}).substr(36, 16); }

} // namespace

TEST_CASE("a request's trace reaches programs, workers and the collector", "[e2e][tracing]") {
  scratch in;
  http_receiver collector;
  environment_variable endpoint{"TROUPE_TRACING_ENDPOINT", collector.url("/v1/traces")};
  traced_node node{in};
  http_client c{node.port};
  auto made = c.ask("POST", "/v1/jobs", traced, header);
  REQUIRE(made.status == 201);
  auto job = made.text("id");
  auto fetched = c.ask("POST", "/v1/work:fetch", R"({"wait":"60s"})").json();
  auto& work = fetched.find("work")->items()->at(0);
  auto told = [&](const char* vertex) {
    return "00-" + trace_id + "-" + hex(core::span_of(id_of(job), vertex, 1)) + "-01";
  };
  CHECK(text_at(work, "traceparent") == told("work"));
  CHECK(c.ask("POST", "/v1/work:complete",
              R"({"output":1,"token":")" + text_at(work, "token") + "\"}")
            .status
        == 204);
  auto ended = c.ask("GET", "/v1/jobs/" + job + "/result?wait=60s");
  CHECK(ended.body.find(told("tell")) != std::string::npos);

  REQUIRE(collector.comes_to([](auto& all) { return !all.empty(); }));
  auto spans = spans_in(collector.received());
  REQUIRE(spans.size() == 5);
  for (auto& x : spans)
    CHECK(text_at(x, "traceId") == trace_id);
  CHECK(text_at(spans[0], "name") == "traced");
  CHECK(text_at(spans[0], "parentSpanId") == parent);
  std::map<std::string, std::string> parent_of;
  for (auto& x : spans)
    parent_of[text_at(x, "spanId")] = text_at(x, "parentSpanId");
  auto own = id_of(job);
  for (auto vertex : {"tell", "work"}) {
    CHECK(parent_of.at(hex(core::span_of(own, vertex, 1))) == hex(core::span_of(own, vertex)));
    CHECK(parent_of.at(hex(core::span_of(own, vertex))) == hex(core::span_of(own)));
  }
  node.send(SIGTERM);
  CHECK(node.wait().code == 0);
}

TEST_CASE("a job in no trace gets its own, and its spans leave at the end", "[e2e][tracing]") {
  scratch in;
  http_receiver collector;
  environment_variable endpoint{"TROUPE_TRACING_ENDPOINT", collector.url("/v1/traces")};
  traced_node node{in};
  http_client c{node.port};
  auto made = c.ask("POST", "/v1/jobs", R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]}})",
                    "traceparent: nonsense\r\n");
  auto label = text_at(*made.json().find("labels"), "traceparent");
  auto trace = core::parse_trace(label);
  REQUIRE(trace);
  CHECK(c.ask("GET", "/v1/jobs/" + made.text("id") + "/result?wait=60s").status == 200);
  node.send(SIGTERM);
  CHECK(node.wait().code == 0);
  auto spans = spans_in(collector.received());
  REQUIRE(spans.size() == 3);
  CHECK(text_at(spans[0], "traceId") == label.substr(3, 32));
  CHECK_FALSE(spans[0].find("parentSpanId"));
}

TEST_CASE("a node that ends tells what a collector has not taken", "[e2e][tracing]") {
  constexpr int jobs = 50;
  scratch in;
  silent_receiver collector;
  environment_variable endpoint{"TROUPE_TRACING_ENDPOINT", collector.url("/v1/traces")};
  traced_node node{in};
  http_client c{node.port};
  const std::string noop = R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]}})";
  auto has_ended = [&](const std::string& id) {
    return c.ask("GET", "/v1/jobs/" + id + "/result?wait=60s").status == 200;
  };
  CHECK(has_ended(c.ask("POST", "/v1/jobs", noop).text("id")));
  REQUIRE(collector.is_called()); // The others wait for that call to end.
  std::string body;
  for (int i = 1; i < jobs; ++i)
    body += noop + "\n";
  auto made = c.ask("POST", "/v1/jobs:batch", body, "Content-Type: application/x-ndjson\r\n");
  for (auto& x : lines_of(made.body))
    CHECK(has_ended(text_at(x, "id")));
  node.send(SIGTERM);
  auto ended = node.wait();
  CHECK(ended.code == 0);
  INFO(ended.err);
  CHECK(before(ended.err, " spans are lost: ")
            + 3 * before(ended.err, " ended jobs are left without")
        == 3 * jobs);
  CHECK(before(ended.err, " ended jobs are left without") == jobs - 1);
}

TEST_CASE("without an endpoint a job gets no trace, and keeps what it has", "[e2e][tracing]") {
  scratch in;
  traced_node node{in};
  http_client c{node.port};
  const std::string noop = R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]}})";
  CHECK_FALSE(c.ask("POST", "/v1/jobs", noop).json().find("labels")->find("traceparent"));
  auto made = c.ask("POST", "/v1/jobs", noop, header);
  CHECK(text_at(*made.json().find("labels"), "traceparent").substr(3, 32) == trace_id);
  auto lines = c.ask("POST", "/v1/jobs:batch", noop + "\n",
                     header + "Content-Type: application/x-ndjson\r\n");
  auto id = text_at(lines_of(lines.body).at(0), "id");
  CHECK(c.ask("GET", "/v1/jobs/" + id).body.find(trace_id) != std::string::npos);
}
