#include "tests/core/scene.hpp"
#include "tests/support/sanitized.hpp"

#include <algorithm>

using namespace troupe;
using namespace troupe::core;
using namespace std::chrono_literals;
using tests::add;
using tests::compiled;
using tests::scene;

namespace {

/// What becomes of one input of the join.
enum class input { succeeds, fails, not_taken, stays_open };
constexpr input inputs[]{input::succeeds, input::fails, input::not_taken, input::stays_open};

struct policy {
  const char* name;
  join_spec join;
};

std::vector<policy> policies(std::size_t n) {
  std::vector<policy> all{{"all", {join_policy::all, 0}},
                          {"any", {join_policy::any, 0}},
                          {"quorum", {join_policy::quorum, 0}},
                          {"ignore_failed", {join_policy::ignore_failed, 0}}};
  for (std::uint32_t k = 1; k <= n; ++k)
    all.push_back({"n", {join_policy::n, k}});
  return all;
}

/// How many successes decide, or 0 if the join waits for all inputs.
std::size_t deciding(const join_spec& join, std::size_t n) {
  switch (join.policy) {
  case join_policy::any: return 1;
  case join_policy::n: return join.count;
  case join_policy::quorum: return n / 2 + 1;
  default: return 0;
  }
}

struct expectation {
  vertex_state target = vertex_state::waiting;
  std::vector<std::size_t> seen; ///< Inputs that count, in the order of edges.
  bool failed = false;           ///< A skip that counts as a failure downstream.
};

/// The table of `docs/graphs.md` as a function of all that happens, in that order.
expectation specified(const join_spec& join, const std::vector<input>& what,
                      const std::vector<std::size_t>& order) {
  auto n = what.size();
  std::vector<std::size_t> live;
  std::size_t failed = 0, ended = 0;
  auto needed = deciding(join, n);
  auto skip = [&] { return expectation{vertex_state::skipped, {}, failed > 0}; };
  auto run = [&] {
    std::sort(live.begin(), live.end());
    return expectation{vertex_state::ready, live, false};
  };
  for (auto i : order) {
    if (what[i] == input::stays_open)
      continue;
    ++ended;
    if (what[i] == input::succeeds)
      live.push_back(i);
    failed += what[i] == input::fails;
    if (needed > 0) {
      if (live.size() == needed)
        return run();
      if (n - ended < needed - live.size())
        return skip();
    } else if (join.policy == join_policy::all && failed > 0) {
      return skip();
    } else if (ended == n) {
      return live.empty() ? skip() : run();
    }
  }
  return {};
}

/// s0…s(n-1) → target → after, and target → neutral over a join that does not mind failures.
std::shared_ptr<const graph> join_graph(std::size_t n, const join_spec& join) {
  graph_spec g{};
  for (std::size_t i = 0; i < n; ++i)
    add(g, "s" + std::to_string(i)).on_error = on_error_policy::continue_on;
  add(g, "target").join = join;
  add(g, "after").join = {join_policy::ignore_failed, 0};
  add(g, "beside");
  for (std::size_t i = 0; i < n; ++i)
    tests::link(g, "s" + std::to_string(i), "target").when = value{value::object{{"eq", "yes"}}};
  tests::link(g, "target", "after");
  tests::link(g, "beside", "after"); // A success that must not hide what `target` was.
  return compiled(g);
}

void finish(scene& s, vertex_index v, input what) {
  if (what == input::stays_open)
    return;
  auto outcome = what == input::fails ? attempt_end::failed : attempt_end::succeeded;
  if (v % 2 == 0) // Pure and impure vertices take different ways.
    return s.end_pure(v, outcome, what == input::succeeds ? "yes" : "no");
  if (!s.start(v) || !s.end(v, outcome, what == input::succeeds ? "yes" : "no"))
    FAIL("the vertex does not start and end");
}

std::size_t live_values(const scene& s, vertex_index target) {
  auto gathered = gather(s.live, target);
  CHECK_FALSE(gathered.wrong);
  return gathered.inputs.find("in")->items()->size();
}

std::string text_of(const std::vector<input>& what, const std::vector<std::size_t>& order) {
  std::string text;
  for (auto i : order)
    text += std::to_string(i) + "sfno"[int(what[i])] + ' ';
  return text;
}

/// Tens of thousands of cases: text is made of one that is wrong.
void check_join(const policy& p, std::shared_ptr<const graph> plan, const std::vector<input>& what,
                const std::vector<std::size_t>& order) {
  auto n = what.size();
  auto must = [&](bool x, const char* fact) {
    if (!x)
      FAIL(p.name << ' ' << p.join.count << " of " << n << ": " << text_of(what, order) << fact);
  };
  auto target = static_cast<vertex_index>(n);
  scene s{std::move(plan)};
  must(bool(s.move(job_request::start)), "the job starts");
  for (auto i : order)
    finish(s, static_cast<vertex_index>(i), what[i]);

  auto expected = specified(p.join, what, order);
  auto runs = expected.target == vertex_state::ready;
  must(s.state(target) == expected.target, to_string(expected.target));
  must(!runs || live_values(s, target) == expected.seen.size(), "the number of inputs");
  for (std::size_t i = 0; i < n; ++i) {
    auto edge = s.live.run->edges[s.live.plan->in(target)[i]];
    auto counts = std::ranges::count(expected.seen, i) > 0;
    must(!runs || (edge == edge_state::live) == counts, "which inputs count");
    must((edge == edge_state::open) == (what[i] == input::stays_open), "which inputs are open");
  }
  if (expected.target == vertex_state::skipped) {
    auto after = s.live.run->inputs[target + 1];
    must(after.failed == expected.failed, "how many have failed");
    must(after.open == 1, "`beside` is open");
  }
}

/// Calls `each` with every choice of what becomes of `n` inputs.
void each_choice(std::size_t n, const std::function<void(const std::vector<input>&)>& each) {
  auto choices = static_cast<std::size_t>(1) << 2 * n;
  for (std::size_t code = 0; code < choices; ++code) {
    std::vector<input> what;
    for (std::size_t i = 0; i < n; ++i)
      what.push_back(inputs[code >> 2 * i & 3]);
    each(what);
  }
}

} // namespace

TEST_CASE("each join does what the table says for each order of what its inputs do",
          "[core][joins]") {
  auto n = GENERATE(as<std::size_t>{}, 1, 2, 3, 4);
  std::uint64_t turn = 0, next = 0;
  for (auto& p : policies(n)) {
    auto plan = join_graph(n, p.join);
    each_choice(n, [&](auto& what) {
      std::vector<std::size_t> order; // Of those that end at all.
      for (std::size_t i = 0; i < n; ++i)
        if (what[i] != input::stays_open)
          order.push_back(i);
      do {
        if (turn++ < next)
          continue;
        next = tests::next_case(next);
        check_join(p, plan, what, order);
      } while (std::next_permutation(order.begin(), order.end()));
    });
  }
}

TEST_CASE("what comes after the decision of a join changes nothing", "[core][joins]") {
  scene s{join_graph(3, {join_policy::any, 0})};
  REQUIRE(s.move(job_request::start));
  s.end_pure(1, attempt_end::succeeded, "yes");
  REQUIRE(s.state(3) == vertex_state::ready);
  REQUIRE(s.start(3));
  s.end_pure(0, attempt_end::succeeded, "yes");
  s.end_pure(2, attempt_end::failed);
  auto in = s.live.plan->in(3);
  CHECK(s.live.run->edges[in[0]] == edge_state::ignored);
  CHECK(s.live.run->edges[in[1]] == edge_state::live);
  CHECK(s.live.run->edges[in[2]] == edge_state::ignored);
  CHECK(live_values(s, 3) == 1);
  REQUIRE(s.end(3, attempt_end::succeeded));
  CHECK(s.state(3) == vertex_state::succeeded);
}

TEST_CASE("a failure that is continued counts as failed through the vertices it skips",
          "[core][joins]") {
  graph_spec g{};
  add(g, "a").on_error = on_error_policy::continue_on;
  add(g, "b");
  add(g, "c");
  add(g, "other");
  add(g, "merge");
  tests::link(g, "a", "b"), tests::link(g, "b", "c");
  tests::link(g, "c", "merge"), tests::link(g, "other", "merge");
  auto fails = GENERATE(true, false);
  CAPTURE(fails);
  if (!fails) // The same way, but the branch is not taken.
    g.edges.front().when = value{false};
  scene s{compiled(g)};
  REQUIRE(s.move(job_request::start));
  s.end_pure(0, fails ? attempt_end::failed : attempt_end::succeeded);
  s.end_pure(3, attempt_end::succeeded);
  CHECK(s.state(2) == vertex_state::skipped);
  CHECK(s.state(4) == (fails ? vertex_state::skipped : vertex_state::ready));
}

TEST_CASE("an error edge carries the problem, and only then", "[core][joins]") {
  graph_spec g{};
  add(g, "a").on_error = on_error_policy::route;
  add(g, "well");
  add(g, "handler");
  add(g, "picky");
  tests::link(g, "a", "well");
  tests::link(g, "a", "handler").from_port = "error";
  auto& conditional = tests::link(g, "a", "picky");
  conditional.from_port = "error";
  conditional.when = value{value::object{{"path", "/code"}, {"eq", "another"}}};
  scene failed{compiled(g)}, succeeded{compiled(g)};
  REQUIRE(failed.move(job_request::start));
  failed.end_pure(0, attempt_end::failed);
  CHECK(failed.state(1) == vertex_state::skipped);
  CHECK(failed.state(2) == vertex_state::ready);
  CHECK(failed.state(3) == vertex_state::skipped);
  auto handled = gather(failed.live, 2);
  auto& carried = handled.inputs.find("in")->items()->front();
  CHECK(carried == value{value::object{{"code", "broken"}, {"detail", "it broke"}}});

  REQUIRE(succeeded.move(job_request::start));
  succeeded.end_pure(0, attempt_end::succeeded, "x");
  CHECK(succeeded.state(1) == vertex_state::ready);
  CHECK(succeeded.state(2) == vertex_state::skipped);
  CHECK(succeeded.state(3) == vertex_state::skipped);
}

TEST_CASE("a vertex whose node ended too often takes its error edges by their conditions",
          "[core][joins]") {
  graph_spec g{};
  add(g, "a").on_error = on_error_policy::route;
  add(g, "other");
  add(g, "lost");
  for (auto [to, code] : {std::pair{"other", "exit_code"}, std::pair{"lost", "redelivery_limit"}}) {
    auto& e = tests::link(g, "a", to);
    e.from_port = "error";
    e.when = value{value::object{{"path", "/code"}, {"eq", code}}};
  }
  scene s{compiled(g)};
  REQUIRE(s.move(job_request::start));
  while (s.state(0) != vertex_state::failed) {
    REQUIRE(s.start(0));
    REQUIRE(s.lose(0));
  }
  CHECK(s.state(1) == vertex_state::skipped);
  CHECK(s.state(2) == vertex_state::ready);
}

TEST_CASE("several values on a port for one are a problem, on one for many a list",
          "[core][joins]") {
  graph_spec g{};
  add(g, "a"), add(g, "b");
  add(g, "one").inputs["in"] = arity::one;
  add(g, "many");
  for (auto from : {"b", "a"}) // The order of edges, not of vertices.
    tests::link(g, from, "one"), tests::link(g, from, "many");
  scene s{compiled(g)};
  s.live.spec.input = s.twin.spec.input = payload{value{"input"}};
  REQUIRE(s.move(job_request::start));
  s.end_pure(0, attempt_end::succeeded, "A");
  s.end_pure(1, attempt_end::succeeded, "B");
  auto one = gather(s.live, 2), many = gather(s.live, 3);
  REQUIRE(one.wrong);
  CHECK(one.wrong->code == "multiple_values");
  CHECK_FALSE(many.wrong);
  CHECK(many.inputs == value{value::object{{"in", value::list{"B", "A"}}, {"job", "input"}}});
}

TEST_CASE("a port without a live value is absent, or an empty list", "[core][joins]") {
  graph_spec g{};
  add(g, "a").inputs = {{"in", arity::one}, {"more", arity::many}};
  scene s{compiled(g)};
  REQUIRE(s.move(job_request::start));
  CHECK(gather(s.live, 0).inputs
        == value{value::object{{"more", value::list{}}, {"job", nullptr}}});
}

TEST_CASE("inputs in blobs are named as missing", "[core][joins]") {
  graph_spec g = tests::chain(2);
  scene s{compiled(g)};
  REQUIRE(s.move(job_request::start));
  payload stored{blob_ref{{1}, 99}};
  s.commit(decide_vertices_ended(s.live, {{0, attempt_end::succeeded, stored, {}}}, 1ms, s.now,
                                 s.random));
  auto gathered = gather(s.live, 1);
  REQUIRE(gathered.missing.size() == 1);
  CHECK(gathered.missing.front() == stored);
}
