#include "actors/shard_log.hpp"
#include "tests/support/must.hpp"
#include "tests/support/temp_dir.hpp"
#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

#include <map>
#include <mutex>

using namespace troupe;
using tests::must;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;

/// Keeps all that it is told.
struct witness : observer {
  std::mutex mutex;
  std::map<job_id, std::vector<job_step>> steps;
  std::map<job_id, observed_job> jobs;
  std::map<job_id, job_state> found;
  std::vector<attempt_step> attempts;
  std::size_t batches = 0, records = 0;
  bool found_twice = false, untimed = false; ///< Catch2 is for one thread at a time.
  std::vector<ec> refused;

  void job_stepped(const observed_job& job, const job_step& step) override {
    std::scoped_lock lock{mutex};
    steps[job.id].push_back(step);
    jobs[job.id] = job;
  }
  void job_found(const observed_job& job, job_state state) override {
    std::scoped_lock lock{mutex};
    found_twice |= !found.emplace(job.id, state).second;
    jobs[job.id] = job;
  }
  void attempts_ended(const observed_job&, const attempt_step& step) override {
    std::scoped_lock lock{mutex};
    attempts.push_back(step);
  }
  void batch_written(const batch_step& step) override {
    std::scoped_lock lock{mutex};
    untimed |= step.took <= 0ns;
    ++batches;
    records += step.records;
  }
  void job_refused(const std::string&, ec why) override {
    std::scoped_lock lock{mutex};
    refused.push_back(why);
  }

  std::vector<job_step> steps_of(job_id id) {
    std::scoped_lock lock{mutex};
    return steps[id];
  }
};

struct fixture {
  tests::temp_dir directory;
  runtime_config config;
  std::shared_ptr<witness> seen = std::make_shared<witness>();

  fixture() {
    config.data_dir = directory.path() / "data";
    config.observer = seen;
  }

  runtime open() {
    auto fail = [](const value&, function_context&) -> value { throw std::runtime_error{"no"}; };
    return must(runtime::open(config, {{"fail", fail, false}}));
  }

  job_id submit(runtime& node, const graph_spec& graph) {
    job_spec spec;
    spec.queue = "mail";
    spec.graph = must(node.add_graph(graph));
    return must(node.submit(spec));
  }
};

graph_spec noops(int count) {
  graph_builder graph{"noops"};
  for (int i = 0; i < count; ++i)
    graph.add("v" + std::to_string(i), "noop", {});
  return graph.build();
}

} // namespace

TEST_CASE_METHOD(fixture, "an observer is told each step of a job with its times", "[actors]") {
  auto node = open();
  auto id = submit(node, noops(3));
  must(node.wait(id, patience));
  node.close();
  auto steps = seen->steps_of(id);
  REQUIRE(steps.size() == 3);
  CHECK_FALSE(steps[0].from);
  CHECK(steps[0].to == job_state::pending);
  CHECK(steps[1].from == job_state::pending);
  CHECK(steps[1].to == job_state::running);
  CHECK(steps[1].waited);
  CHECK_FALSE(steps[1].ran);
  CHECK(steps[2].to == job_state::completed);
  CHECK(steps[2].ran);
  CHECK(seen->jobs[id].queue == "mail");
  CHECK(seen->jobs[id].graph == "noops");
  CHECK(seen->batches > 0);
  CHECK(seen->records >= 4);
  CHECK_FALSE(seen->untimed);
}

TEST_CASE_METHOD(fixture, "an observer is told which task a worker was asked for", "[actors]") {
  auto node = open();
  graph_builder graph{"images"};
  graph.add("a", "worker", {{"task", "resize"}}).add("b", "worker", {{"task", "sharpen"}});
  auto id = submit(node, graph.build());
  work_request what;
  what.queues = {"mail"};
  what.wait = patience;
  for (int i = 0; i < 2; ++i)
    for (auto& item : must(node.fetch_work(what)))
      CHECK(node.complete_work(item.token, item.task).code() == ec::none);
  must(node.wait(id, patience));
  node.close();
  std::map<std::string, std::uint32_t> tasks;
  for (auto& x : seen->attempts)
    if (x.kind == "worker" && x.fate == attempt_fate::succeeded)
      tasks[x.task] += x.count;
  CHECK(tasks == std::map<std::string, std::uint32_t>{{"resize", 1}, {"sharpen", 1}});
}

TEST_CASE_METHOD(fixture, "an observer is told each attempt once, by kind and end", "[actors]") {
  auto node = open();
  auto good = submit(node, noops(300));
  auto bad = submit(node, graph_builder{"bad"}.add("a", "function", {{"name", "fail"}}).build());
  must(node.wait(good, patience));
  must(node.wait(bad, patience));
  node.close();
  std::uint32_t succeeded = 0, failed = 0;
  for (auto& x : seen->attempts) {
    if (x.fate == attempt_fate::succeeded && x.kind == "noop")
      succeeded += x.count;
    if (x.fate == attempt_fate::failed && x.kind == "function" && x.error == "exception")
      failed += x.count;
  }
  CHECK(succeeded == 300);
  CHECK(failed == 1);
  CHECK(seen->steps_of(bad).back().error == "exception");
}

TEST_CASE_METHOD(fixture, "an observer is told the jobs of a transaction", "[actors]") {
  auto node = open();
  transaction x;
  x.queue = "mail";
  x.jobs.resize(2);
  for (auto& job : x.jobs) {
    job.queue = "mail";
    job.graph = must(node.add_graph(noops(1)));
  }
  auto made = must(node.transact(x));
  for (auto& job : made) {
    must(node.wait(job.id, patience));
    auto steps = seen->steps_of(job.id);
    CHECK(steps.size() == 3);
    CHECK_FALSE(steps.front().from);
  }
}

TEST_CASE_METHOD(fixture, "an observer is told what an earlier node has left", "[actors]") {
  job_id id;
  {
    auto node = open();
    id = submit(node, graph_builder{"slow"}.add("a", "delay", {{"for", "1h"}}).build());
    REQUIRE(node.pause(id));
  }
  seen = std::make_shared<witness>();
  config.observer = seen;
  auto node = open();
  std::scoped_lock lock{seen->mutex};
  CHECK(seen->found == std::map<job_id, job_state>{{id, job_state::paused}});
  CHECK_FALSE(seen->found_twice);
  CHECK(seen->jobs[id].graph == "slow");
}

TEST_CASE_METHOD(fixture, "totals and stats tell how the store stands", "[actors]") {
  auto node = open();
  for (int i = 0; i < 5; ++i)
    must(node.wait(submit(node, noops(1)), patience));
  auto totals = must(node.totals());
  REQUIRE(totals.size() == 1);
  CHECK(totals[0].queue == "mail");
  CHECK(totals[0].state == job_state::completed);
  CHECK(totals[0].jobs == 5);
  CHECK(totals[0].bytes > 0);
  auto stats = must(node.stats());
  CHECK(stats.journal_bytes > 0);
  CHECK(stats.snapshot_bytes > 0);
  CHECK(stats.disk_bytes > stats.disk_free_bytes);
  CHECK(stats.lag_hard_bytes > stats.lag_soft_bytes);
  node.close();
  CHECK(node.totals().code() == ec::not_ready);
}
