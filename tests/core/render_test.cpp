#include "core/decide_reuse.hpp"
#include "tests/core/scene.hpp"

#include <fstream>
#include <set>
#include <sstream>

using namespace troupe;
using namespace troupe::core;
using namespace std::chrono_literals;
using tests::add;
using tests::compiled;
using tests::scene;

namespace {

void print(std::ostream& out, const value& x);

void print_list(std::ostream& out, const value::list& items) {
  const char* between = "";
  out << '[';
  for (auto& item : items)
    out << std::exchange(between, ", "), print(out, item);
  out << ']';
}

void print_object(std::ostream& out, const value::object& members) {
  const char* between = "";
  out << '{';
  for (auto& [key, item] : members) {
    out << std::exchange(between, ", ") << key << ": ";
    print(out, item);
  }
  out << '}';
}

void print(std::ostream& out, const value& x) {
  if (auto b = x.boolean())
    out << (*b ? "true" : "false");
  else if (auto i = x.integer())
    out << *i;
  else if (auto n = x.number())
    out << *n;
  else if (auto s = x.string())
    out << '"' << *s << '"';
  else if (auto items = x.items())
    print_list(out, *items);
  else if (auto members = x.members())
    print_object(out, *members);
  else
    out << "null";
}

std::string text_of(const std::vector<event>& told) {
  std::ostringstream out;
  for (auto& e : told) {
    out << e.id << ' ' << e.type << (e.stream ? " (stream) " : " ")
        << e.time.time_since_epoch().count() << ' ';
    print(out, e.data);
    out << '\n';
  }
  return out.str();
}

std::string golden(const char* file) {
  std::ifstream in(std::string{TROUPE_SOURCE_DIR} + "/tests/core/golden/" + file);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// a → b → c, a → d (never taken), e fails and is continued → f; g → h on error.
graph_spec small_graph() {
  graph_spec g{};
  for (auto id : {"a", "b", "c", "d", "e", "f", "g", "h"})
    add(g, id);
  g.vertices[1].retry.max_attempts = 3;
  g.vertices[1].retry.jitter = false;
  g.vertices[4].on_error = on_error_policy::continue_on;
  g.vertices[6].on_error = on_error_policy::route;
  g.result = {"c", "h"};
  tests::link(g, "a", "b"), tests::link(g, "b", "c");
  tests::link(g, "a", "d").when = value{value::object{{"eq", "never"}}};
  tests::link(g, "e", "f");
  tests::link(g, "g", "h").from_port = "error";
  return g;
}

scene begun(std::shared_ptr<const graph> plan) {
  scene s{std::move(plan)};
  s.now += 1s;
  REQUIRE(s.move(job_request::pause, "by an operator"));
  REQUIRE(s.move(job_request::resume));
  REQUIRE(s.move(job_request::start));
  return s;
}

/// A run that makes every event of a job that completes.
scene played(const std::shared_ptr<const graph>& plan) {
  auto s = begun(plan);
  s.end_pure(0, attempt_end::succeeded, value::object{{"n", 1}});
  REQUIRE(s.start(1));
  s.now += 50ms;
  REQUIRE(s.say(1, "half"));
  s.commit({record_for(s.live, s.now, stream_appended{1, 1, 4, stream_kind::token, "t", false})});
  s.commit(
      {record_for(s.live, s.now, stream_appended{1, 1, 5, stream_kind::progress, "50%", false})});
  REQUIRE(s.end(1, attempt_end::timed_out));
  s.now += 1s;
  REQUIRE(s.start(1));
  REQUIRE(s.lose(1));
  REQUIRE(s.start(1));
  REQUIRE(s.end(1, attempt_end::failed));
  REQUIRE(s.start(1));
  REQUIRE(s.move(job_request::pause));
  REQUIRE(s.end(1, attempt_end::succeeded, "B"));
  REQUIRE(s.move(job_request::resume, "go on"));
  s.end_pure(4, attempt_end::failed);
  s.commit(decide_vertices_ended(s.live,
                                 {scene::result_for(6, attempt_end::failed, {}),
                                  scene::result_for(2, attempt_end::succeeded, 2.5)},
                                 3ms, s.now, s.random));
  payload stored{blob_ref{{1, 2}, 70'000}};
  s.commit(decide_vertices_ended(s.live, {{7, attempt_end::succeeded, stored, {}}}, 1ms, s.now,
                                 s.random));
  REQUIRE(s.live.state == job_state::completed);
  return s;
}

} // namespace

TEST_CASE("the events of a job stay what they were", "[core][golden]") {
  auto plan = compiled(small_graph());
  auto first = played(plan);
  CHECK(text_of(first.told) == golden("events_completed.txt"));

  scene retry{plan, 2};
  REQUIRE(retry.move(job_request::start));
  REQUIRE(retry.take(decide_reuse(retry.live, first.live, 2, retry.now)));
  auto& blob = first.live.run->outputs[7];
  vertices_reused late{{{7, attempt_end::succeeded, {}, {}, blob, {}, {}}}};
  REQUIRE(retry.take(record_group{record_for(retry.live, retry.now, late)}));
  REQUIRE(retry.move(job_request::cancel, "no longer needed"));
  CHECK(text_of(retry.told) == golden("events_reused_cancelled.txt"));

  auto failed = begun(compiled(tests::chain(2)));
  REQUIRE(failed.start(0));
  REQUIRE(failed.end(0, attempt_end::failed));
  CHECK(text_of(failed.told) == golden("events_failed.txt"));

  auto stopped = begun(compiled(tests::chain(2)));
  REQUIRE(stopped.start(0));
  REQUIRE(stopped.move(job_request::cancel));
  REQUIRE(stopped.move(job_request::stop, "at once"));
  REQUIRE(stopped.end(0, attempt_end::cancelled));
  CHECK(text_of(stopped.told) == golden("events_stopped.txt"));

  scene told{compiled(tests::chain(1))};
  REQUIRE(told.take(decide_message(told.live, "book it", told.now)));
  REQUIRE(told.move(job_request::start));
  told.now += 1s;
  REQUIRE(told.take(decide_message(told.live, "and a taxi", told.now)));
  CHECK(text_of(told.told) == golden("events_told.txt"));

  std::set<std::string_view> types;
  for (auto s : {&first, &retry, &failed, &stopped, &told})
    for (auto& e : s->told)
      types.insert(e.type);
  CHECK(types
        == std::set<std::string_view>{"state", "vertices_sorted", "vertex_start", "end_vertex",
                                      "log", "token", "progress", "reset", "error", "end",
                                      "add_message"});
}

TEST_CASE("a single result is the bare output, else an object of those that succeeded", "[core]") {
  auto g = tests::fan_out(2);
  g.result = {"v1"};
  g.result_is_single = GENERATE(true, false);
  scene s{compiled(g)};
  REQUIRE(s.move(job_request::start));
  for (vertex_index v = 0; v < 3; ++v)
    s.end_pure(v, attempt_end::succeeded, int(v));
  auto result = *s.told.back().data.find("result");
  CHECK(result == (g.result_is_single ? value{1} : value{value::object{{"v1", 1}}}));
}

TEST_CASE("the list of vertices is cut at its bound, their count is not", "[core]") {
  auto g = tests::fan_out(sorted_ids_max + 5);
  scene s{compiled(g)};
  REQUIRE(s.move(job_request::start));
  auto& sorted = s.told.back();
  REQUIRE(sorted.type == "vertices_sorted");
  CHECK(sorted.data.find("ids")->items()->size() == sorted_ids_max);
  CHECK(*sorted.data.find("count")->integer() == sorted_ids_max + 6);
}
