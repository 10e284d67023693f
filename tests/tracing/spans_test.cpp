#include "graph_json/value_json.hpp"
#include "node/tracing/spans.hpp"
#include "tests/support/catch.hpp"

using namespace troupe;
using namespace troupe::node;
using namespace std::chrono_literals;

namespace {

const auto trace = *core::parse_trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
const job_id id{0x0198'c0de'0000'7000, 0x8000'0000'0000'0001};

job_info ended(job_state state = job_state::completed) {
  job_info x;
  x.id = id;
  x.state = state;
  x.queue = "mail";
  x.graph_name = "nightly";
  x.created = time_point{1000ms};
  x.ended = time_point{9000ms};
  return x;
}

event told(std::string_view type, std::chrono::milliseconds at, value::object data) {
  event x;
  x.job = id;
  x.type = type;
  x.time = time_point{at};
  x.data = std::move(data);
  return x;
}

event starts(const char* vertex, int attempt, std::chrono::milliseconds at) {
  return told("vertex_start", at, {{"vertex", vertex}, {"attempt", attempt}});
}

event ends(const char* vertex, int attempt, std::chrono::milliseconds at, const char* state,
           int took = 0) {
  value::object data{
      {"vertex", vertex}, {"attempt", attempt}, {"state", state}, {"duration_ms", took}};
  if (state != std::string{"succeeded"})
    data.emplace("error", value::object{{"code", "exit_code"}, {"detail", "exit code 1"}});
  return told("end_vertex", at, std::move(data));
}

std::vector<span> spans_of(const std::vector<event>& events, const job_info& job = ended(),
                           const core::trace_context& in = trace) {
  job_spans all{job, in};
  for (auto& x : events)
    all.add(x);
  return std::move(all).take();
}

} // namespace

TEST_CASE("a job, its vertices and their attempts are spans in each other", "[tracing]") {
  auto all = spans_of({starts("a", 1, 2000ms), ends("a", 1, 3000ms, "backoff", 1000),
                       starts("a", 2, 4000ms), ends("a", 2, 6000ms, "succeeded", 2000)});
  REQUIRE(all.size() == 4);
  auto &job = all[0], &vertex = all[1], &first = all[2], &second = all[3];
  for (auto& x : all)
    CHECK(x.trace == trace.trace);
  CHECK(job.id == core::span_of(id));
  CHECK(job.parent == trace.span);
  CHECK(job.name == "nightly");
  CHECK(job.begin == time_point{1000ms});
  CHECK(job.end == time_point{9000ms});
  CHECK(job.attributes.at("troupe.queue") == value{"mail"});
  CHECK(vertex.parent == job.id);
  CHECK(vertex.begin == time_point{2000ms});
  CHECK(vertex.end == time_point{6000ms});
  CHECK(vertex.error.empty()); // In the end it has succeeded.
  CHECK(first.parent == vertex.id);
  CHECK(first.id == core::span_of(id, "a", 1)); // As the attempt was told.
  CHECK(first.error == "exit_code: exit code 1");
  CHECK(first.end == time_point{3000ms});
  CHECK(second.begin == time_point{4000ms});
  CHECK(second.attributes.at("troupe.attempt") == value{2});
}

TEST_CASE("what a pure vertex took is told at its end", "[tracing]") {
  auto all = spans_of({starts("a", 1, 5000ms), ends("a", 1, 5000ms, "succeeded", 700)});
  REQUIRE(all.size() == 3);
  CHECK(all[1].begin == time_point{4300ms});
  CHECK(all[2].begin == time_point{4300ms});
  CHECK(all[2].end == time_point{5000ms});
}

TEST_CASE("an attempt that a crash interrupted is one span with its redelivery", "[tracing]") {
  auto all = spans_of(
      {starts("a", 1, 2000ms), starts("a", 1, 5000ms), ends("a", 1, 6000ms, "succeeded", 1000)});
  REQUIRE(all.size() == 3);
  CHECK(all[2].begin == time_point{2000ms});
  CHECK(all[2].attributes.contains("troupe.redelivered"));
}

TEST_CASE("what was skipped or reused has no span", "[tracing]") {
  CHECK(spans_of({ends("a", 0, 2000ms, "skipped"), ends("b", 0, 2000ms, "succeeded"),
                  told("log", 2000ms, {{"vertex", "c"}, {"attempt", 1}})})
            .size()
        == 1);
}

TEST_CASE("a failed job's span says why, one that began here has no parent", "[tracing]") {
  auto job = ended(job_state::failed);
  job.error = {"exit_code", "", "exit code 1"};
  auto root = root_trace(7, 8);
  CHECK(root.sampled);
  CHECK(core::parse_trace(core::to_text(root)) == root);
  auto all = spans_of({}, job, root);
  CHECK(all[0].parent == 0);
  CHECK(all[0].error == "exit_code: exit code 1");
}

TEST_CASE("the spans of one job are bounded", "[tracing]") {
  job_spans many{ended(), trace};
  for (std::size_t i = 0; i < spans_of_job_max; ++i) {
    auto name = "v" + std::to_string(i);
    many.add(starts(name.c_str(), 1, 2000ms));
    many.add(ends(name.c_str(), 1, 2000ms, "succeeded"));
  }
  auto all = std::move(many).take();
  CHECK(all.size() <= spans_of_job_max);
  CHECK(all.size() > spans_of_job_max - 2);
  CHECK(*all[0].attributes.at("troupe.attempts_left_out").integer()
        == std::int64_t(spans_of_job_max - (all.size() - 1) / 2));
}

TEST_CASE("spans are told as OTLP has them", "[tracing]") {
  span x{trace.trace, 0xa, 0xb, "a \"b\"", time_point{1ms}, time_point{2ms}, {{"n", 5}, {"s", "t"}},
         "no"};
  auto parsed = graph_json::parse_value(otlp_json({x}, "mine", "1.2.3"));
  REQUIRE(parsed);
  auto expected = graph_json::parse_value(R"({"resourceSpans": [{
    "resource": {"attributes": [
      {"key": "service.name", "value": {"stringValue": "mine"}},
      {"key": "service.version", "value": {"stringValue": "1.2.3"}}]},
    "scopeSpans": [{"scope": {"name": "troupe", "version": "1.2.3"}, "spans": [{
      "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "000000000000000a",
      "parentSpanId": "000000000000000b", "name": "a \"b\"", "kind": 1,
      "startTimeUnixNano": "1000000", "endTimeUnixNano": "2000000",
      "attributes": [{"key": "n", "value": {"intValue": "5"}},
                     {"key": "s", "value": {"stringValue": "t"}}],
      "status": {"code": 2, "message": "no"}}]}]}]})");
  REQUIRE(expected);
  CHECK(*parsed == *expected);
}
