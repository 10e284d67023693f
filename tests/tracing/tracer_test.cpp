#include "graph_json/value_json.hpp"
#include "node/tracing/otlp_sender.hpp"
#include "node/tracing/tracer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_receiver.hpp"
#include "troupe/graph_builder.hpp"

#include <condition_variable>
#include <set>

using namespace troupe;
using namespace troupe::node;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;
const std::string sampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const std::string unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

/// A collector that does what it is told, and remembers.
struct collector {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> got;
  status answer{};
  bool hangs = false;

  tracer::send sender() {
    return [this](const std::string& json, std::chrono::milliseconds) {
      std::unique_lock lock{mutex};
      got.push_back(json);
      changed.notify_all();
      changed.wait(lock, [this] { return !hangs; });
      return answer;
    };
  }
  bool has(std::size_t requests) {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, patience, [&] { return got.size() >= requests; });
  }
  void let_go() {
    std::scoped_lock lock{mutex};
    hangs = false;
    changed.notify_all();
  }
};

struct fixture {
  collector to;
  std::vector<std::string> said;

  std::unique_ptr<tracer> make(tracing_options options = {}) {
    options.repeat_after = 1ms;
    return std::make_unique<tracer>(options, to.sender(),
                                    [this](const std::string& x) { said.push_back(x); });
  }
  static runtime open(const tracer& x) {
    runtime_config config;
    config.memory = true;
    config.observer = x.observer();
    auto node = runtime::open(config);
    REQUIRE(node);
    return std::move(*node);
  }
  static job_id run(runtime& node, const std::string& trace) {
    job_spec spec;
    spec.graph = *node.add_graph(graph_builder{"g"}.add("a", "noop").build());
    if (!trace.empty())
      spec.labels[core::trace_label] = trace;
    auto id = node.submit(spec);
    REQUIRE(id);
    REQUIRE(node.wait(*id, patience));
    return *id;
  }
};

} // namespace

TEST_CASE_METHOD(fixture, "the spans of sampled jobs are sent, and of no others", "[tracing]") {
  auto x = make();
  auto node = open(*x);
  x->start(node);
  run(node, "");
  run(node, unsampled);
  auto id = run(node, sampled);
  REQUIRE(to.has(1));
  x->stop(60s);
  REQUIRE(to.got.size() == 1);
  CHECK(to.got[0].find(to_string(id)) != std::string::npos);
  CHECK(x->stats().spans_exported == 3);
  CHECK(x->stats().jobs_dropped == 0);
}

TEST_CASE_METHOD(fixture, "a collector that hangs costs spans, not jobs", "[tracing]") {
  to.hangs = true;
  auto x = make({.jobs_waiting_max = 2});
  auto node = open(*x);
  x->start(node);
  run(node, sampled);
  REQUIRE(to.has(1));
  for (int i = 0; i < 5; ++i)
    run(node, sampled); // Each ends, though nobody takes its spans.
  CHECK(x->stats().jobs_dropped == 3);
  to.let_go();
  x->stop(60s);
  CHECK(x->stats().spans_exported == 9);
}

TEST_CASE_METHOD(fixture, "spans are sent again a bounded number of times", "[tracing]") {
  to.answer = error{ec::overloaded, "nobody is there"};
  auto x = make({.sends_max = 3});
  auto node = open(*x);
  x->start(node);
  run(node, sampled);
  REQUIRE(to.has(3));
  x->stop(60s);
  CHECK(to.got.size() == 3);
  CHECK(x->stats().spans_failed == 3);
  CHECK(said == std::vector<std::string>{"3 spans are lost: nobody is there"});
}

TEST_CASE_METHOD(fixture, "spans that the collector refuses are not sent again", "[tracing]") {
  to.answer = error{ec::unsupported, "status 400"};
  auto x = make();
  auto node = open(*x);
  x->start(node);
  run(node, sampled);
  REQUIRE(to.has(1));
  x->stop(60s);
  CHECK(to.got.size() == 1);
  CHECK(x->stats().spans_failed == 3);
}

TEST_CASE_METHOD(fixture, "a tracer that is to end at once does", "[tracing]") {
  auto x = make();
  auto node = open(*x);
  for (int i = 0; i < 5; ++i)
    run(node, sampled);
  x->start(node);
  x->stop(0ms);
  auto told = x->stats();
  CHECK(told.jobs_dropped * 3 + told.spans_exported + told.spans_failed == 15);
}

TEST_CASE_METHOD(fixture, "jobs for which no time is left at the end are told", "[tracing]") {
  auto x = make();
  auto node = open(*x);
  for (int i = 0; i < 5; ++i)
    run(node, sampled);
  x->stop(0ms);
  x->start(node);
  x->stop(0ms);
  CHECK(x->stats().jobs_dropped == 5);
  CHECK(said
        == std::vector<std::string>{
            "5 ended jobs are left without spans: there was no time left for them"});
}

TEST_CASE_METHOD(fixture, "jobs that are dropped because too many wait are told", "[tracing]") {
  to.hangs = true;
  auto x = make({.jobs_waiting_max = 2});
  auto node = open(*x);
  x->start(node);
  run(node, sampled);
  REQUIRE(to.has(1));
  for (int i = 0; i < 5; ++i)
    run(node, sampled);
  to.let_go();
  x->stop(60s);
  CHECK(said
        == std::vector<std::string>{
            "3 ended jobs are left without spans: too many waited, or they could not be read"});
}

TEST_CASE_METHOD(fixture, "a part of the jobs that come without a trace gets one", "[tracing]") {
  CHECK(make({.sample_percent = 0})->new_trace().empty());
  auto x = make({.sample_percent = 100});
  std::set<std::string> all;
  for (int i = 0; i < 100; ++i) {
    auto made = core::parse_trace(all.insert(x->new_trace()).first->c_str());
    REQUIRE(made);
    CHECK(made->sampled);
  }
  CHECK(all.size() == 100);
}

TEST_CASE("a sender speaks OTLP/HTTP and knows what may be repeated", "[tracing]") {
  tests::http_receiver receiver;
  otlp_sender sender{receiver.url("/v1/traces")};
  CHECK(sender.send("{\"a\":1}", 60s));
  CHECK(sender.send("{\"b\":2}", 60s));
  auto got = receiver.received();
  REQUIRE(got.size() == 2);
  CHECK(got[0].head.starts_with("POST /v1/traces HTTP/1.1\r\n"));
  CHECK(got[0].head.find("Content-Type: application/json") != std::string::npos);
  CHECK(got[0].body == "{\"a\":1}");
  CHECK(got[1].body == "{\"b\":2}");
  for (auto status : {429, 503}) {
    receiver.answer_with(status);
    CHECK(sender.send("{}", 60s).code() == ec::overloaded);
  }
  for (auto status : {302, 400, 500}) {
    receiver.answer_with(status);
    CHECK(sender.send("{}", 60s).code() == ec::unsupported);
  }
}

TEST_CASE("a sender that finds nobody says so", "[tracing]") {
  std::string url;
  {
    tests::http_receiver gone;
    url = gone.url("/v1/traces");
  }
  auto sent = otlp_sender{url}.send("{}", 60s);
  CHECK(sent.code() == ec::overloaded);
  CHECK(sent.error().detail.find(url) != std::string::npos);
}
