#include "core/decide_reuse.hpp"
#include "tests/core/random_values.hpp"
#include "tests/core/scene.hpp"
#include "troupe/limits.hpp"

#include <map>
#include <set>

using namespace troupe;
using namespace troupe::core;
using namespace std::chrono_literals;
using tests::compiled;
using tests::random_values;
using tests::scene;

namespace {

/// A graph of up to 12 vertices with every join, policy, condition and kind of edge.
graph_spec random_graph(random_values& make) {
  graph_spec g{};
  auto size = 1 + make.below(12);
  for (std::size_t i = 0; i < size; ++i) {
    auto& v = tests::add(g, "v" + std::to_string(i), make.below(5) == 0 ? "delay" : "noop");
    if (v.kind == "delay")
      v.config = value::object{{"for", "3s"}};
    v.join = {join_policy(make.below(5)), static_cast<std::uint32_t>(1 + make.below(2))};
    v.on_error =
        make.below(4) == 0 ? on_error_policy::fail_job : on_error_policy(1 + make.below(2));
    v.retry.max_attempts = static_cast<std::uint32_t>(1 + make.below(3));
    v.retry.on_timeout = make.coin();
  }
  for (std::size_t to = 1; to < size; ++to)
    for (auto left = make.below(4); left > 0; --left) {
      auto& from = g.vertices[make.below(to)];
      auto& e = tests::link(g, from.id, g.vertices[to].id);
      if (from.on_error == on_error_policy::route && make.coin())
        e.from_port = "error";
      else if (make.coin())
        e.when = value{value::object{{"eq", make.coin() ? "yes" : "no"}}};
    }
  return g;
}

/// What is known of a vertex without looking at `details`.
struct vertex_model {
  std::uint32_t attempts = 0, losses = 0;
  bool redelivered = false;
};

/// Sends random requests to one job and checks each step against what it must and must not do.
class walk {
public:
  walk(std::shared_ptr<const graph> plan, random_values& make)
      : make_(make), plan_(std::move(plan)), scene_(plan_, make.bits()), models_(plan_->size()) {}

  void step() {
    before_ = scene_.live;
    scene_.now += duration{static_cast<duration::rep>(make_.below(4) * 1000)};
    act();
    check();
  }

  void finish() {
    move(job_request::resume), move(job_request::start);
    for (int i = 0; i < 1000 && !terminal(scene_.live.state); ++i) {
      before_ = scene_.live;
      auto v = any_vertex();
      if (!scene_.start(v))
        move(job_request::resume);
      else
        started(v);
      end_attempt(v);
      check();
    }
    REQUIRE(terminal(scene_.live.state));
    REQUIRE(scene_.told.back().type == "end");
  }

  const scene& played() const { return scene_; }

  /// As a retry of `earlier`: begins with what that recorded.
  void reuse(const job& earlier) {
    move(job_request::start);
    before_ = scene_.live;
    scene_.take(decide_reuse(scene_.live, earlier, any_vertex(), scene_.now));
    reused_ = true;
    check();
    reused_ = false;
  }

private:
  void act() {
    switch (make_.below(15)) {
    case 0: return move(job_request::start);
    case 1: return make_.coin() ? move(job_request::pause) : void();
    case 2: return move(job_request::resume);
    case 3: return make_.below(20) == 0 ? move(job_request::cancel) : void();
    case 4: return make_.below(20) == 0 ? move(job_request::stop) : void();
    case 5: return lose();
    case 6: return stale();
    case 7: return say();
    case 8: return end_pure();
    case 11: return tell();
    case 9:
    case 10: return end_attempt(any_vertex());
    default: return start();
    }
  }

  vertex_index any_vertex() { return static_cast<vertex_index>(make_.below(plan_->size())); }

  void move(job_request on) {
    auto was = scene_.live;
    auto asked = on == job_request::resume && !was.run ? job_request::requeue : on;
    auto took = scene_.move(on);
    REQUIRE(took == next(was.state, asked).has_value());
    if (!took)
      REQUIRE(scene_.live == was);
  }

  void start() {
    auto v = any_vertex();
    auto& run = before_.run;
    auto may =
        before_.state == job_state::running && run && !run->failing
        && (run->states[v] == vertex_state::ready || run->states[v] == vertex_state::backoff);
    REQUIRE(scene_.start(v) == may);
    if (may)
      started(v);
  }

  void started(vertex_index v) {
    auto& model = models_[v];
    model.attempts += !model.redelivered;
    model.redelivered = false;
    REQUIRE(scene_.detail(v).attempts == model.attempts);
    REQUIRE(model.attempts <= plan_->shape(v).retry.max_attempts);
    REQUIRE(tokens_.insert(scene_.proof(v)).second);
  }

  attempt_end any_end() { return attempt_end(make_.below(4)); }
  value any_output() { return make_.coin() ? value{"yes"} : make_.any_value(2); }

  void end_attempt(vertex_index v) {
    if (!running(v))
      return;
    auto proof = scene_.proof(v);
    auto said = any_end();
    REQUIRE(scene_.end(v, said, any_output()));
    auto failed = said != attempt_end::succeeded;
    check_end(v, failed, said == attempt_end::timed_out);
    auto again = scene::result_for(v, attempt_end::succeeded, 1);
    REQUIRE(decide_attempt_ended(scene_.live, proof, again, scene_.now, scene_.random).code()
            == ec::stale_token);
  }

  void end_pure() {
    if (!scene_.live.run)
      return;
    std::vector<attempt_result> results;
    std::set<vertex_index> chosen;
    for (auto left = make_.below(5); left > 0; --left)
      if (auto v = any_vertex(); chosen.insert(v).second)
        results.push_back(scene::result_for(v, any_end(), any_output()));
    auto all = results;
    scene_.commit(
        decide_vertices_ended(scene_.live, std::move(results), 5ms, scene_.now, scene_.random));
    for (auto& r : all)
      if (startable_before(r.vertex)) {
        auto& model = models_[r.vertex];
        model.attempts += r.outcome != attempt_end::succeeded;
        model.redelivered = false;
        check_end(r.vertex, r.outcome != attempt_end::succeeded,
                  r.outcome == attempt_end::timed_out);
      }
  }

  bool startable_before(vertex_index v) const {
    auto state = before_.run->states[v];
    return (state == vertex_state::ready || state == vertex_state::backoff) && went_on();
  }

  bool went_on() const {
    return (before_.state == job_state::running || before_.state == job_state::paused)
           && !before_.run->failing;
  }

  void check_end(vertex_index v, bool failed, bool timed_out) {
    auto& retry = plan_->shape(v).retry;
    auto state = scene_.state(v);
    if (!went_on())
      REQUIRE((state == vertex_state::cancelled || (!failed && state == vertex_state::succeeded)));
    else if (!failed)
      REQUIRE(state == vertex_state::succeeded);
    else if ((timed_out ? retry.on_timeout : retry.on_error)
             && models_[v].attempts < retry.max_attempts)
      REQUIRE(state
              == (scene_.live.state == job_state::failed ? vertex_state::cancelled
                                                         : vertex_state::backoff));
    else
      REQUIRE(state == vertex_state::failed);
  }

  bool running(vertex_index v) const {
    return scene_.live.run && scene_.state(v) == vertex_state::running;
  }

  void lose() {
    auto v = any_vertex();
    auto counts = make_.coin();
    auto was = running(v);
    REQUIRE(scene_.lose(v, counts) == was);
    if (!was)
      return;
    auto& model = models_[v];
    auto spent = counts && model.losses == limits::redeliveries_max;
    if (!went_on()) {
      REQUIRE(scene_.state(v) == vertex_state::cancelled);
      return;
    }
    REQUIRE(scene_.state(v) == (spent ? vertex_state::failed : vertex_state::ready));
    model.losses += counts && !spent;
    REQUIRE(scene_.detail(v).redeliveries == model.losses);
    model.redelivered = !spent;
  }

  void stale() {
    auto v = any_vertex();
    if (!scene_.live.run)
      return;
    auto wrong = token{make_.bits(), make_.bits()};
    auto r = scene::result_for(v, any_end(), any_output());
    REQUIRE(decide_attempt_ended(scene_.live, wrong, r, scene_.now, scene_.random).code()
            == ec::stale_token);
    REQUIRE(decide_said(scene_.live, v, wrong, "x", scene_.now).code() == ec::stale_token);
    REQUIRE(scene_.live == before_);
  }

  void say() {
    auto v = any_vertex();
    auto was = running(v);
    REQUIRE(scene_.say(v, "said") == was);
  }

  void tell() {
    auto may = before_.run
                   ? went_on()
                   : before_.state == job_state::pending || before_.state == job_state::paused;
    may = may && before_.messages.size() < limits::job_messages_max;
    REQUIRE(scene_.take(decide_message(scene_.live, "told", scene_.now)) == may);
    REQUIRE(scene_.live.messages.size() == before_.messages.size() + may);
  }

  void check() {
    auto& x = scene_.live;
    if (terminal(before_.state))
      REQUIRE(x == before_);
    if (x.run)
      check_run();
    check_events();
    auto running = x.run ? x.run->in(vertex_state::running) : 0;
    if (terminal(x.state)) {
      REQUIRE(running == 0);
      REQUIRE((!x.run || x.run->open() == 0));
    } else if (x.run) {
      REQUIRE(x.run->open() > 0);
      REQUIRE((running > 0 || !x.run->failing));
      REQUIRE((running > 0 || x.state == job_state::running || x.state == job_state::paused));
    }
  }

  void check_run() {
    auto& run = *scene_.live.run;
    std::array<std::uint32_t, vertex_states> count{};
    for (vertex_index v = 0; v < plan_->size(); ++v) {
      ++count[std::size_t(run.states[v])];
      check_step(v, before_.run ? before_.run->states[v] : vertex_state::waiting, run.states[v]);
      check_inputs(v);
      auto found = run.details.find(v);
      auto has_token = found != run.details.end() && found->second.current;
      REQUIRE(has_token == (run.states[v] == vertex_state::running));
    }
    REQUIRE(count == run.count);
  }

  /// One step of the table; or two, where an end and what it ends are one group.
  void check_step(vertex_index v, vertex_state from, vertex_state to) {
    CAPTURE(v, to_string(from), to_string(to));
    auto leads = [](vertex_state a, vertex_state b) {
      return a == b || std::ranges::any_of(vertex_transitions, [&](auto& row) {
               return row.from == a && row.to == b;
             });
    };
    auto two = std::ranges::any_of(
        vertex_transitions, [&](auto& row) { return row.from == from && leads(row.to, to); });
    auto group = reused_ || terminal(scene_.live.state) || !before_.run || finishing(v);
    REQUIRE((leads(from, to) || (group && two)));
    if (terminal(from))
      REQUIRE(from == to);
  }
  /// `finish` starts and ends in one step.
  bool finishing(vertex_index v) const { return models_[v].attempts > 0; }

  void check_inputs(vertex_index v) {
    auto& run = *scene_.live.run;
    if (run.states[v] != vertex_state::waiting)
      return;
    input_counts counted;
    for (auto at : plan_->in(v)) {
      counted.open += run.edges[at] == edge_state::open;
      counted.live += run.edges[at] == edge_state::live;
      counted.failed += run.edges[at] == edge_state::failed;
    }
    REQUIRE(counted == run.inputs[v]);
    REQUIRE(counted.open > 0); // Else its join would have been decided.
  }

  void check_events() {
    auto& told = scene_.told;
    std::size_t ends = 0;
    for (std::size_t i = 0; i < told.size(); ++i) {
      REQUIRE(told[i].id == i + 1);
      ends += told[i].type == "end";
    }
    REQUIRE(ends == (terminal(scene_.live.state) ? 1 : 0));
    REQUIRE((ends == 0 || told.back().type == "end"));
  }

  random_values& make_;
  std::shared_ptr<const graph> plan_;
  scene scene_;
  job before_;
  std::vector<vertex_model> models_;
  std::set<token> tokens_;
  bool reused_ = false;
};

/// The same events from the journal alone.
std::vector<event> replayed(const scene& s) {
  auto x = job_of(s.journal.front());
  x.plan = s.live.plan;
  std::vector<event> told;
  auto tell = [&](event&& e) { return told.push_back(std::move(e)), true; };
  render(x, s.journal.front(), {}, tell);
  for (std::size_t i = 1; i < s.journal.size(); ++i) {
    changes seen;
    apply(x, s.journal[i], seen);
    render(x, s.journal[i], seen, tell);
  }
  REQUIRE(x == s.live);
  return told;
}

} // namespace

TEST_CASE("random requests lead to legal states that replay to the same job and events",
          "[core][random]") {
  auto seed = GENERATE(take(300, random(0, 1 << 30)));
  CAPTURE(seed);
  random_values make(static_cast<std::uint64_t>(seed));
  auto plan = compiled(random_graph(make));
  walk first{plan, make};
  for (int i = 0; i < 150; ++i)
    first.step();
  first.finish();
  CHECK(replayed(first.played()) == first.played().told);

  walk retry{plan, make};
  retry.reuse(first.played().live);
  for (int i = 0; i < 30; ++i)
    retry.step();
  retry.finish();
  CHECK(replayed(retry.played()) == retry.played().told);
}

TEST_CASE("a reader that has enough stops the events", "[core]") {
  scene s{compiled(tests::fan_out(3))};
  REQUIRE(s.move(job_request::start));
  int taken = 0;
  auto more = render(s.live, s.journal.back(), {}, [&](event&&) { return ++taken < 2; });
  CHECK_FALSE(more);
  CHECK(taken == 2);
}

namespace {

/// Ends all vertices in order, in pure groups, as a job actor would.
std::shared_ptr<job> completed(std::shared_ptr<const graph> plan) {
  auto x = std::make_shared<job>();
  random_bits random = std::mt19937_64{1};
  shard_time now{1s};
  x->plan = std::move(plan);
  std::vector<vertex_index> ready;
  auto commit = [&](record_group group) {
    transact(*x, std::move(group), now, [&](auto&, auto& seen) {
      for (auto& change : seen.ready)
        ready.push_back(change.vertex);
    });
  };
  commit(*decide_move(*x, job_request::start, "", now));
  while (!ready.empty()) {
    std::vector<attempt_result> results;
    auto size = std::min(ready.size(), limits::pure_group_max);
    for (auto i = ready.size() - size; i < ready.size(); ++i)
      results.push_back({ready[i], attempt_end::succeeded, payload{1}, {}});
    ready.resize(ready.size() - size);
    commit(decide_vertices_ended(*x, std::move(results), 1ms, now, random));
  }
  return x;
}

constexpr std::size_t many = 100'000;

} // namespace

TEST_CASE("a chain, a fan-out and a fan-in of 100,000 vertices run to their end", "[core]") {
  auto make = GENERATE(&tests::chain, &tests::fan_out, &tests::fan_in);
  auto x = completed(compiled(make(many)));
  CHECK(x->state == job_state::completed);
  CHECK(x->run->in(vertex_state::succeeded) == x->plan->size());
}

TEST_CASE("a chain of 100,000 vertices is skipped at once, without a stack", "[core]") {
  auto g = tests::chain(many);
  g.vertices.front().on_error = on_error_policy::continue_on;
  job x;
  x.plan = compiled(g);
  shard_time now{1s};
  random_bits random = [] { return 0; };
  transact(x, *decide_move(x, job_request::start, "", now), now, [](auto&, auto&) {});
  std::size_t skipped = 0;
  transact(x,
           decide_vertices_ended(x, {{0, attempt_end::failed, {}, {"broken", "", ""}}}, 1ms, now,
                                 random),
           now, [&](auto&, auto& seen) { skipped += seen.skipped.size(); });
  CHECK(skipped == many - 1);
  CHECK(x.state == job_state::completed);
}
