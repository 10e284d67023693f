#include "core/trace.hpp"
#include "tests/support/catch.hpp"

#include <set>

using namespace troupe;
using namespace troupe::core;

namespace {

const std::string example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

} // namespace

TEST_CASE("a trace context is read as it is written", "[core][trace]") {
  auto x = parse_trace(example);
  REQUIRE(x);
  CHECK(x->trace[0] == 0x4b);
  CHECK(x->trace[15] == 0x36);
  CHECK(x->span == 0x00f067aa0ba902b7);
  CHECK(x->sampled);
  CHECK(to_text(*x) == example);
  auto unsampled = example.substr(0, 53) + "00";
  CHECK_FALSE(parse_trace(unsampled)->sampled);
  CHECK(to_text(*parse_trace(unsampled)) == unsampled);
}

TEST_CASE("of a later version of a trace context the known part is read", "[core][trace]") {
  CHECK(parse_trace("01" + example.substr(2)) == parse_trace(example));
  CHECK(parse_trace("cc" + example.substr(2) + "-what-the-future-will-be-like")
        == parse_trace(example));
  CHECK_FALSE(parse_trace("cc" + example.substr(2) + ".what"));
}

TEST_CASE("what is no trace context is none", "[core][trace]") {
  auto with = [](std::size_t at, const char* text) {
    auto x = example;
    return x.replace(at, std::string_view{text}.size(), text);
  };
  for (auto& x : {std::string{}, example.substr(1), example + "-", example + "0", with(0, "ff"),
                  with(0, "0g"), with(2, "."), with(3, "4BF9"), with(35, " "), with(52, "_"),
                  with(3, "00000000000000000000000000000000"), with(36, "0000000000000000"),
                  with(53, "x1")}) {
    INFO(x);
    CHECK_FALSE(parse_trace(x));
  }
}

TEST_CASE("spans of a job differ, and are the same each time", "[core][trace]") {
  job_id job{0x0198'c0de'0000'7000, 0x8000'0000'0000'0001}, other{job.high, job.low + 1};
  std::set<std::uint64_t> all{span_of(job),         span_of(job, "a"),    span_of(job, "a", 1),
                              span_of(job, "a", 2), span_of(job, "b", 1), span_of(other),
                              span_of(other, "a")};
  CHECK(all.size() == 7);
  CHECK_FALSE(all.contains(0));
  CHECK(span_of(job, "a", 1) == 0x5d28b5a42dd53f24); // Frozen: other processes know it by this.
}

TEST_CASE("an attempt is told its own span of the trace that its job's labels name",
          "[core][trace]") {
  job_id job{1, 2};
  auto told = parse_trace(trace_of_attempt({{trace_label, example}}, job, "a", 3));
  REQUIRE(told);
  CHECK(told->trace == parse_trace(example)->trace);
  CHECK(told->span == span_of(job, "a", 3));
  CHECK(told->sampled);
  CHECK(trace_of_attempt({}, job, "a", 3).empty());
  CHECK(trace_of_attempt({{trace_label, "nonsense"}}, job, "a", 3).empty());
}
