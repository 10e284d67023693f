#include "node/progress_text.hpp"
#include "node/show.hpp"
#include "node/text.hpp"
#include "node/told_events.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <random>
#include <sstream>

using namespace troupe;
using namespace troupe::node;
using namespace std::chrono_literals;

namespace {

/// Makes a job's events with their numbers.
struct story {
  progress seen;
  std::uint64_t next = 1;

  event make(std::string_view type, value::object data) {
    event x;
    x.id = next++;
    x.type = type;
    x.data = std::move(data);
    seen.apply(x);
    return x;
  }
  event sorted(int count) { return make("vertices_sorted", {{"count", count}, {"layers", 1}}); }
  event start(const std::string& v, int attempt = 1) {
    return make("vertex_start", {{"vertex", v}, {"attempt", attempt}});
  }
  event end(const std::string& v, const char* state, int attempt = 1) {
    value::object data{
        {"vertex", v}, {"attempt", attempt}, {"state", state}, {"duration_ms", 1500}};
    if (state != std::string_view{"succeeded"})
      data.emplace("error", value::object{{"code", "exit_code"}, {"detail", "it ended\nwith 3"}});
    return make("end_vertex", std::move(data));
  }
};

bool fits(const std::string& lines, std::size_t width) {
  std::stringstream all{lines};
  for (std::string line; std::getline(all, line);)
    if (width_of(line) > width)
      return false;
  return true;
}

} // namespace

TEST_CASE("a job that waits is told so, without a count", "[node]") {
  CHECK(counts_text(progress{}) == "not begun");
}

TEST_CASE("progress counts what becomes of vertices", "[node]") {
  story s;
  s.make("state", {{"to", "pending"}});
  s.make("state", {{"to", "running"}});
  s.sorted(6);
  for (auto v : {"a", "b", "c", "d"})
    s.start(v);
  CHECK(s.seen.running() == 4);
  s.end("b", "succeeded");
  s.end("c", "failed");
  s.make("end_vertex", {{"vertex", "e"}, {"attempt", 0}, {"state", "skipped"}});
  s.end("d", "cancelled");
  CHECK(s.seen.total() == 6);
  CHECK(s.seen.succeeded() == 1);
  CHECK(s.seen.failed() == 1);
  CHECK(s.seen.skipped() == 1);
  CHECK(s.seen.cancelled() == 1);
  CHECK(s.seen.done() == 4);
  CHECK(s.seen.oldest_running(5) == std::vector<std::string>{"a"});
  CHECK(s.seen.failures()
        == std::vector<vertex_failure>{{"c", {"exit_code", "", "it ended\nwith 3"}}});
  CHECK(s.seen.state() == job_state::running);
  CHECK_FALSE(s.seen.ended());
}

TEST_CASE("a repeated attempt is no failure, and runs once", "[node]") {
  story s;
  s.sorted(1);
  s.start("a");
  s.start("a"); // Its node died: the attempt starts again.
  CHECK(s.seen.running() == 1);
  auto retried = s.end("a", "backoff");
  CHECK(s.seen.running() == 0);
  CHECK(s.seen.done() == 0);
  CHECK(failure_line(retried, {}) == "retry    a: exit_code: it ended with 3");
  s.start("a", 2);
  auto failed = s.end("a", "failed", 2);
  CHECK(failure_line(failed, {}) == "failed   a (attempt 2): exit_code: it ended with 3");
  CHECK(s.seen.failed() == 1);
}

TEST_CASE("reused results count as succeeded", "[node]") {
  story s;
  s.sorted(2);
  auto x = s.make("end_vertex",
                  {{"vertex", "a"}, {"attempt", 0}, {"state", "succeeded"}, {"reused", true}});
  CHECK(s.seen.succeeded() == 1);
  CHECK(s.seen.reused() == 1);
  CHECK(step_line(x, {}) == "reused   a");
}

TEST_CASE("the last event ends the progress", "[node]") {
  story s;
  s.sorted(1);
  s.start("a");
  s.end("a", "succeeded");
  s.make("state", {{"from", "running"}, {"to", "completed"}});
  s.make("end", {{"state", "completed"}});
  CHECK(s.seen.ended());
  CHECK(s.seen.newest() == 5);
  CHECK(ending_line(s.seen, 1234ms, {}) == "completed in 1.2 s: 1 succeeded");
}

TEST_CASE("failures beyond a bound are only counted", "[node]") {
  story s;
  for (std::size_t i = 0; i < failures_shown_max + 5; ++i)
    s.end("v" + std::to_string(i), "failed");
  CHECK(s.seen.failures().size() == failures_shown_max);
  CHECK(s.seen.failed() == failures_shown_max + 5);
}

TEST_CASE("status lines fit into a terminal of any width", "[node]") {
  auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  story s;
  s.sorted(100000);
  for (int i = 0; i < 300; ++i)
    s.start("vertex_" + std::to_string(random()) + std::string(random() % 60, 'x'));
  s.end("z", "failed");
  for (std::size_t width = 1; width < 200; ++width) {
    auto lines = status_lines(s.seen, "a_long_name_of_a_graph", 75s, {false, true, width});
    INFO(width << "\n" << lines);
    CHECK(fits(lines, width));
    CHECK(line_count(lines) == 2);
  }
}

TEST_CASE("a narrow terminal shows the counts, not the bar", "[node]") {
  story s;
  s.sorted(10);
  s.start("v");
  auto narrow = status_lines(s.seen, "g", 5s, {false, false, 45});
  CHECK(narrow == "0 of 10 done, 1 running  5.0 s\n  v");
  auto wide = status_lines(s.seen, "g", 5s, {false, false, 56});
  CHECK(wide == "........................  0 of 10 done, 1 running  5.0 s\n  v");
}

TEST_CASE("what had not begun when a job failed counts as cancelled", "[node]") {
  story s;
  s.sorted(4);
  s.start("a");
  s.end("a", "failed");
  s.end("b", "cancelled");
  s.make("state", {{"from", "running"}, {"to", "failed"}});
  CHECK(s.seen.cancelled() == 1);
  s.make("end", {{"state", "failed"}});
  CHECK(ending_line(s.seen, 28ms, {}) == "failed in 28 ms: 1 failed, 3 cancelled");
}

TEST_CASE("the time that a job took is from its beginning to its end", "[node]") {
  progress seen;
  auto at = [&, n = 0](std::string_view type, value::object data,
                       std::chrono::seconds when) mutable {
    event x;
    x.id = static_cast<std::uint64_t>(++n);
    x.type = type;
    x.data = std::move(data);
    x.time = time_point{when};
    seen.apply(x);
  };
  at("state", {{"to", "pending"}}, 100s);
  at("state", {{"to", "running"}}, 160s);
  at("vertices_sorted", {{"count", 3}}, 160s);
  at("state", {{"to", "cancelling"}}, 170s);
  at("end_vertex", {{"vertex", "a"}, {"state", "cancelled"}}, 171s);
  at("state", {{"to", "cancelled"}}, 172s);
  at("end", {{"state", "cancelled"}}, 172s);
  CHECK(seen.span() == 12s);
  CHECK(seen.cancelled() == 3);
}

TEST_CASE("status lines say how many more vertices run", "[node]") {
  story s;
  s.sorted(10);
  for (int i = 0; i < 10; ++i)
    s.start("v" + std::to_string(i));
  auto lines = status_lines(s.seen, "g", 5s, {false, false, 80});
  CHECK(lines
        == "g  ........................  0 of 10 done, 10 running  5.0 s\n"
           "  v0, v1, v2, v3, v4, v5, v6, v7, +2 more");
  for (int i = 0; i < 10; ++i)
    s.end("v" + std::to_string(i), "succeeded");
  CHECK(status_lines(s.seen, "g", 65s, {false, false, 80})
        == "g  ########################  10 of 10 done  1:05");
}

TEST_CASE("log lines name their vertex and cannot steer the terminal", "[node]") {
  story s;
  auto x = s.make("log", {{"vertex", "a"}, {"attempt", 1}, {"text", "hi\x1b[2J\n"}});
  CHECK(log_lines(x, {}) == std::vector<std::string>{"a | hi [2J"});
  CHECK(log_lines(s.start("a"), {}).empty());
  CHECK(step_line(x, {}).empty());
}

TEST_CASE("every line of a log is told, and where it is cut", "[node]") {
  story s;
  auto x = s.make("log", {{"vertex", "a"}, {"attempt", 1}, {"text", "one\n\ntwo"}, {"cut", true}});
  std::string cut = "a | … the log of the job is cut here: what comes later is not kept";
  CHECK(log_lines(x, {}) == std::vector<std::string>{"a | one", "a |", "a | two", cut});
  x.time = {};
  x.id = 7;
  auto told = told_lines(x, true);
  CHECK(std::ranges::count(told, '\n') == 4);
  CHECK(told.starts_with("7  1970-01-01T00:00:00.000Z  a | one\n7  "));

  x = s.make("token", {{"vertex", "a"}, {"attempt", 1}, {"text", "x\n"}});
  CHECK_FALSE(is_told(x, {}, false));
  x.data["cut"] = true;
  CHECK(is_told(x, {}, false));
  CHECK_THAT(told_lines(x, false), Catch::EndsWith(cut + "\n"));
  CHECK_THAT(told_lines(x, true), Catch::Contains(R"("text":"x\n")"));
}

TEST_CASE("steps of vertices are one line each", "[node]") {
  story s;
  CHECK(step_line(s.start("a"), {}) == "start    a");
  CHECK(step_line(s.end("a", "succeeded"), {}) == "ok       a (1.5 s)");
  CHECK(step_line(s.end("a", "failed"), {}).empty());
  CHECK(step_line(s.end("a", "cancelled"), {}) == "cancelled a (1.5 s)");
}

TEST_CASE("an event has the envelope of the interface", "[node]") {
  event x{job_id{0x0198'0000'0000'7000, 0x8000'0000'0000'0001},
          7,
          "log",
          true,
          time_point{1500ms},
          value::object{{"a", 1}}};
  CHECK(to_value(x)
        == value{value::object{{"id", 7},
                               {"event", "log"},
                               {"time", "1970-01-01T00:00:01.500Z"},
                               {"job", to_string(x.job)},
                               {"data", value::object{{"a", 1}}}}});
}
