#include "core/trace.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;

/// Adds up what it is told of vertices and leases.
struct witness : observer {
  std::mutex mutex;
  std::condition_variable told;
  vertex_changes sum{};
  std::size_t expired = 0;
  std::array<std::chrono::milliseconds, std::size_t(last(wait_reason{})) + 1> waited{};

  void vertices_changed(const vertex_changes& by) override {
    std::scoped_lock lock{mutex};
    for (std::size_t i = 0; i < by.size(); ++i)
      sum[i] += by[i];
    told.notify_all();
  }
  void vertices_waited(const observed_job&, wait_reason why,
                       std::chrono::milliseconds time) override {
    std::scoped_lock lock{mutex};
    waited[std::size_t(why)] += time;
    told.notify_all();
  }
  void happened(occurrence x) override {
    std::scoped_lock lock{mutex};
    expired += x == occurrence::lease_expired;
    told.notify_all();
  }

  bool comes_to(const std::function<bool()>& fact) {
    std::unique_lock lock{mutex};
    return told.wait_for(lock, patience, fact);
  }
  /// Comes to these numbers, and no vertex is in another state.
  bool counts(std::initializer_list<std::pair<vertex_state, std::int64_t>> all) {
    vertex_changes expected{};
    for (auto& [state, number] : all)
      expected[std::size_t(state)] = number;
    return comes_to([&] { return sum == expected; });
  }
  bool comes_to_wait(wait_reason why, std::chrono::milliseconds least) {
    return comes_to([&] { return waited[std::size_t(why)] >= least; });
  }
};

struct fixture {
  tests::temp_dir directory;
  std::shared_ptr<witness> seen = std::make_shared<witness>();

  runtime open() {
    runtime_config config;
    config.data_dir = directory.path() / "data";
    config.observer = seen;
    auto echo = [](const value&, function_context& x) { return value{x.traceparent}; };
    auto fail = [](const value&, function_context&) -> value { throw failure{"no", "no"}; };
    auto node =
        runtime::open(config, {{"echo", echo, false}, {"pure", echo, true}, {"fail", fail, false}});
    REQUIRE(node);
    return std::move(*node);
  }

  static job_id submit(runtime& node, const graph_spec& graph, job_spec spec = {}) {
    auto added = node.add_graph(graph);
    REQUIRE(added);
    spec.graph = *added;
    auto id = node.submit(spec);
    REQUIRE(id);
    return *id;
  }
  /// A vertex for a worker, and one behind it.
  static job_id submit_work(runtime& node) {
    return submit(node, graph_builder{"g"}
                            .add("a", "worker", {{"task", "t"}})
                            .add("b", "noop")
                            .connect("a", "b")
                            .build());
  }

  static work_item fetch(runtime& node, std::chrono::milliseconds lease = 60s) {
    work_request what;
    what.lease = lease;
    what.wait = 30s;
    auto items = node.fetch_work(what);
    REQUIRE(items);
    REQUIRE(items->size() == 1);
    return items->front();
  }
};

} // namespace

TEST_CASE_METHOD(fixture, "an observer knows how many vertices are in which state", "[actors]") {
  using enum vertex_state;
  auto node = open();
  auto id = submit_work(node);
  CHECK(seen->counts({{ready, 1}, {waiting, 1}}));
  auto item = fetch(node);
  CHECK(seen->counts({{running, 1}, {waiting, 1}}));
  REQUIRE(node.complete_work(item.token, 1));
  REQUIRE(node.wait(id, patience));
  CHECK(seen->counts({}));
}

TEST_CASE_METHOD(fixture, "an observer knows the vertices that an earlier node has left",
                 "[actors]") {
  using enum vertex_state;
  {
    auto node = open();
    submit_work(node);
    fetch(node);
    CHECK(seen->counts({{running, 1}, {waiting, 1}}));
    node.close();
    CHECK(seen->counts({}));
  }
  seen = std::make_shared<witness>();
  auto node = open();
  CHECK(seen->counts({{running, 1}, {waiting, 1}}));
}

TEST_CASE_METHOD(fixture, "vertices of a job that is paused are not at work", "[actors]") {
  using enum vertex_state;
  auto node = open();
  auto id = submit_work(node);
  CHECK(seen->counts({{ready, 1}, {waiting, 1}}));
  REQUIRE(node.pause(id));
  CHECK(seen->counts({}));
  REQUIRE(node.resume(id));
  CHECK(seen->counts({{ready, 1}, {waiting, 1}}));
}

TEST_CASE_METHOD(fixture, "an observer is told of a worker's silence", "[actors]") {
  auto node = open();
  submit_work(node);
  auto first = fetch(node, limits::work_lease_min);
  CHECK(seen->comes_to([&] { return seen->expired == 1; }));
  auto second = fetch(node);
  CHECK(second.attempt == first.attempt);
  CHECK(second.token != first.token);
  REQUIRE(node.complete_work(second.token, 1));
  CHECK(seen->expired == 1);
}

TEST_CASE_METHOD(fixture, "an observer is told what vertices waited for", "[actors]") {
  using enum wait_reason;
  auto node = open();
  job_spec one;
  one.max_parallel = 1;
  submit(node,
         graph_builder{"g"}
             .add("a", "worker", {{"task", "t"}})
             .add("b", "worker", {{"task", "t"}})
             .build(),
         one);
  auto first = fetch(node, limits::work_lease_min);
  CHECK(seen->comes_to([&] { return seen->expired == 1; })); // So long b waits for its slot.
  for (int i = 0; i < 2; ++i)
    REQUIRE(node.complete_work(fetch(node).token, 1));
  CHECK(seen->comes_to_wait(max_parallel, limits::work_lease_min));
  CHECK(seen->comes_to_wait(worker, 0ms));

  retry_spec retry;
  retry.max_attempts = 2;
  retry.base = 700ms;
  retry.jitter = false;
  auto graph = graph_builder{"f"}.add("f", "function", {{"name", "fail"}}).build();
  graph.vertices[0].retry = retry;
  submit(node, graph);
  CHECK(seen->comes_to_wait(back_off, 700ms));
}

TEST_CASE_METHOD(fixture, "a function is told the trace of its attempt, unless it is pure",
                 "[actors][trace]") {
  const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  auto node = open();
  job_spec spec;
  spec.labels = {{std::string{core::trace_label}, parent}};
  auto graph = graph_builder{"told"}
                   .add("f", "function", {{"name", "echo"}})
                   .add("p", "function", {{"name", "pure"}})
                   .build();
  auto told = submit(node, graph, spec);
  auto ended = node.wait(told, patience);
  REQUIRE(ended);
  auto expected = core::trace_of_attempt(spec.labels, told, "f", 1);
  CHECK_FALSE(expected.empty());
  CHECK(*ended->result.find("f") == value{expected});
  CHECK(*ended->result.find("p") == value{""});
  auto untold = node.wait(submit(node, graph), patience);
  REQUIRE(untold);
  CHECK(*untold->result.find("f") == value{""});
}

TEST_CASE_METHOD(fixture, "all actors tell their load, and none once they are gone", "[actors]") {
  auto node = open();
  auto id = submit_work(node);
  CHECK(seen->comes_to([&] { return seen->sum[std::size_t(vertex_state::ready)] == 1; }));
  auto load = node.load();
  REQUIRE(load);
  std::set<std::string> actors, limits;
  for (auto& x : load->mailboxes)
    actors.insert(x.actor);
  CHECK(actors == std::set<std::string>{"shard", "work_board"});
  for (auto& x : load->limits) {
    CHECK(limits.insert(x.limit).second);
    CHECK(x.in_use == (x.limit == "running_jobs"));
    CHECK(x.most > 0);
  }
  CHECK(limits == std::set<std::string>{"pending_jobs", "running_jobs", "work_fetches"});
  REQUIRE(node.wait(
      submit(node, graph_builder{"e"}.add("f", "function", {{"name", "echo"}}).build()), patience));
  load = node.load();
  REQUIRE(load);
  CHECK(std::ranges::any_of(load->limits, [](auto& x) { return x.limit == "function"; }));
  REQUIRE(node.cancel(id));
  node.close();
  CHECK(node.load().code() == ec::not_ready);
}
