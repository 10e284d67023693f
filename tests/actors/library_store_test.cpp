#include "actors/spec_check.hpp"
#include "tests/support/must.hpp"
#include "tests/support/temp_dir.hpp"
#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

#include <algorithm>
#include <set>

using namespace troupe;
using tests::must;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;

struct fixture {
  tests::temp_dir directory;
  runtime_config config;

  fixture() { config.data_dir = directory.path() / "data"; }
  runtime open() { return must(runtime::open(config)); }

  static job_spec noop(runtime& node, std::string queue = "default") {
    job_spec spec;
    spec.queue = std::move(queue);
    spec.graph = must(node.add_graph(graph_builder{"g"}.add("a", "noop").build()));
    return spec;
  }
};

std::vector<std::uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

} // namespace

TEST_CASE_METHOD(fixture, "a repeated request is told so, also by the next runtime",
                 "[actors][runtime][keys]") {
  job_id id;
  {
    auto node = open();
    auto spec = noop(node);
    spec.idempotency_key = "pay/1";
    auto first = must(node.submit_once(spec));
    CHECK_FALSE(first.replayed);
    id = first.id;
    must(node.wait(id, patience));
  }
  auto node = open();
  auto spec = noop(node);
  spec.idempotency_key = "pay/1";
  CHECK(must(node.submit_once(spec)) == submitted{id, true});
  CHECK(must(node.submit(spec)) == id);
  spec.labels["colour"] = "blue";
  CHECK(node.submit(spec).code() == ec::idempotency_conflict);
  spec.queue = "other"; // A key belongs to a queue.
  CHECK_FALSE(must(node.submit_once(spec)).replayed);
  spec.idempotency_key = "with space";
  CHECK(node.submit(spec).code() == ec::invalid_spec);
}

TEST_CASE("any part of a request counts for its digest", "[actors][keys]") {
  job_spec spec;
  auto before = actors::digest_of(spec);
  CHECK(before.size() == 32);
  auto differs = [&](auto change) {
    auto other = spec;
    change(other);
    return actors::digest_of(other) != before;
  };
  CHECK(differs([](auto& x) { x.input = 1; }));
  CHECK(differs([](auto& x) { x.labels["a"] = "b"; }));
  CHECK(differs([](auto& x) { x.max_parallel = 1; }));
  CHECK(differs([](auto& x) { x.retention = 1s; }));
  CHECK(differs([](auto& x) { x.expires_after = 1s; }));
  CHECK(differs([](auto& x) { x.expires_at = time_point{1s}; }));
  CHECK(differs([](auto& x) { x.graph.sha256[0] = 1; }));
  CHECK(differs([](auto& x) { x.reuse = reuse_spec{{}, "a"}; }));
  CHECK_FALSE(differs([](auto& x) { x.idempotency_key = "k"; }));
}

TEST_CASE_METHOD(fixture, "a job expires by a time or after one", "[actors][runtime][expiry]") {
  auto node = open();
  auto spec = noop(node);
  spec.expires_after = 1h;
  auto job = must(node.wait(must(node.submit(spec)), patience));
  CHECK(job.state == job_state::completed);
  CHECK(job.expires_at >= job.created + 1h);
  spec.expires_at = time_point{1s}; // The earlier one holds.
  job = must(node.wait(must(node.submit(spec)), patience));
  CHECK(job.state == job_state::failed);
  CHECK(job.error.code == "expired");
  CHECK(job.expires_at == time_point{1s});
  spec.expires_at = time_point{};
  CHECK(node.submit(spec).code() == ec::invalid_spec);
  spec.expires_at.reset();
  spec.expires_after = 0s;
  CHECK(node.submit(spec).code() == ec::invalid_spec);
  spec.expires_after = 1s;
  spec.reuse = reuse_spec{job.id, {}}; // It begins at once.
  CHECK(node.submit(spec).code() == ec::invalid_spec);
}

TEST_CASE_METHOD(fixture, "large results are reused, and outlive the job that made them",
                 "[actors][runtime][reuse]") {
  graph_builder graph{"large"};
  const std::string text(60'000, 'x');
  for (int i = 0; i < 30; ++i) // Each in its record; all together far beyond one.
    graph.add("v" + std::to_string(i), "noop", value::object{{"output", std::to_string(i) + text}});
  graph.add("last", "noop");
  graph.connect("v0", "last");
  job_spec spec;
  job_id first, second;
  {
    auto node = open();
    spec.graph = must(node.add_graph(graph.build()));
    first = must(node.submit(spec));
    must(node.wait(first, patience));
    spec.reuse = reuse_spec{first, "last"};
    second = must(node.submit(spec));
    CHECK(must(node.wait(second, patience)).state == job_state::completed);
    CHECK(node.remove(first));
  }
  auto node = open();
  auto job = must(node.get(second));
  CHECK(job.retry_of == first);
  CHECK(*job.result.find("v29")->string() == "29" + text);
}

TEST_CASE_METHOD(fixture, "rows are read in order, by prefix and in parts", "[actors][rows]") {
  {
    auto node = open();
    transaction x;
    x.rows = {{"b/2", bytes_of("two")}, {"a", bytes_of("no")}, {"b/1", bytes_of("one")}};
    CHECK(must(node.transact(x)).empty());
    CHECK(must(node.row("default", "b/1")) == bytes_of("one"));
    CHECK_FALSE(must(node.row("other", "b/1")));
  }
  auto node = open();
  std::vector<queue_row> all{{"b/1", bytes_of("one")}, {"b/2", bytes_of("two")}};
  CHECK(must(node.rows("default", "b/")) == all);
  CHECK(must(node.rows("default", "b/", "b/1")) == std::vector{all[1]});
  CHECK(must(node.rows("default", "", "", 1)).front().key == "a");
}

TEST_CASE_METHOD(fixture, "a transaction is checked before anything is written", "[actors][rows]") {
  auto node = open();
  transaction x;
  x.rows = {{"a", bytes_of("1")}, {"", bytes_of("1")}};
  CHECK(node.transact(x).code() == ec::invalid_spec);
  x.rows = {{"a", bytes_of("1")}, {std::string(257, 'k'), {}}};
  CHECK(node.transact(x).code() == ec::invalid_spec);
  x.rows = {{"a", bytes_of("1")}, {"b", bytes_of(std::string(65537, 'x'))}};
  CHECK(node.transact(x).code() == ec::too_large);
  x.rows.clear();
  for (int i = 0; i < 20; ++i)
    x.rows.push_back({std::to_string(i), bytes_of(std::string(65536, 'x'))});
  CHECK(node.transact(x).code() == ec::too_large);
  x.rows = {{"a", bytes_of("1")}};
  x.jobs = {noop(node, "other")};
  CHECK(node.transact(x).code() == ec::invalid_spec);
  CHECK_FALSE(must(node.row("default", "a")));
  x.jobs = {noop(node), noop(node)};
  auto made = must(node.transact(x));
  REQUIRE(made.size() == 2);
  for (auto& job : made)
    CHECK(must(node.wait(job.id, patience)).state == job_state::completed);
}

TEST_CASE_METHOD(fixture, "a transaction may have one job that reuses results",
                 "[actors][rows][reuse]") {
  graph_builder graph{"g"};
  graph.add("a", "noop").add("b", "noop");
  graph.connect("a", "b");
  job_id first, second;
  {
    auto node = open();
    transaction x;
    job_spec spec;
    spec.graph = must(node.add_graph(graph.build()));
    first = must(node.submit(spec));
    must(node.wait(first, patience));
    spec.reuse = reuse_spec{first, "b"};
    spec.idempotency_key = "again";
    x.rows = {{"turn", bytes_of("1")}};
    x.jobs = {spec, noop(node)};
    CHECK(node.transact(x).code() == ec::invalid_spec);
    x.jobs = {spec};
    x.conditions = {{"turn", bytes_of("0")}};
    CHECK(node.transact(x).code() == ec::condition_failed);
    CHECK(must(node.list()).size() == 1);
    x.conditions = {{"turn", {}}};
    second = must(node.transact(x)).front().id;
    CHECK(must(node.wait(second, patience)).state == job_state::completed);
    CHECK(node.transact(x).code() == ec::condition_failed);
    x.conditions.clear();
    CHECK(must(node.transact(x)) == std::vector{submitted{second, true}});
  }
  auto node = open();
  CHECK(must(node.row("default", "turn")) == bytes_of("1"));
  CHECK(must(node.get(second)).retry_of == first);
  std::set<std::string> reused;
  auto reader = must(node.events(second));
  for (auto some = must(reader.next(patience)); !some.empty(); some = must(reader.next(patience)))
    for (auto& x : some)
      if (x.data.find("reused"))
        reused.insert(*x.data.find("vertex")->string());
  CHECK(reused == std::set<std::string>{"a"});
}

TEST_CASE_METHOD(fixture, "what a job reuses counts for the size of its transaction",
                 "[actors][rows][reuse]") {
  auto node = open();
  graph_builder graph{"g"};
  for (int i = 0; i < 6; ++i)
    graph.add("v" + std::to_string(i), "noop", value::object{{"output", std::string(60'000, 'x')}});
  graph.add("last", "noop");
  job_spec spec;
  spec.graph = must(node.add_graph(graph.build()));
  auto first = must(node.submit(spec));
  must(node.wait(first, patience));
  transaction x;
  for (int i = 0; i < 14; ++i) // Alone within the limit of one group.
    x.rows.push_back({std::to_string(i), bytes_of(std::string(65'536, 'x'))});
  spec.reuse = reuse_spec{first, "last"};
  x.jobs = {spec};
  CHECK(node.transact(x).code() == ec::too_large);
  CHECK(must(node.list()).size() == 1);
  CHECK_FALSE(must(node.row("default", "0")));
  x.rows.resize(1);
  CHECK(must(node.transact(x)).size() == 1);
}

TEST_CASE_METHOD(fixture, "many results of one moment go in groups that a record may have",
                 "[actors][runtime]") {
  auto node = open();
  graph_builder graph{"wide"};
  for (int i = 0; i < 6'000; ++i) // Together far beyond one group, and one batch.
    graph.add("v" + std::to_string(i), "noop",
              value::object{{"output", std::to_string(i) + std::string(900, 'x')}});
  job_spec spec;
  spec.graph = must(node.add_graph(graph.build()));
  auto id = must(node.submit(spec));
  auto job = must(node.wait(id, patience));
  CHECK(job.state == job_state::completed);
}

TEST_CASE_METHOD(fixture, "a retry needs room to run", "[actors][runtime][reuse]") {
  config.running_jobs_max = 1;
  config.shards = 1;
  auto node = open();
  graph_builder graph{"slow"};
  graph.add("a", "noop").add("nap", "delay", value::object{{"for", "900ms"}});
  graph.add("work", "worker", value::object{{"task", "nobody"}});
  graph.connect("a", "nap");
  job_spec spec;
  spec.graph = must(node.add_graph(graph.build()));
  auto first = must(node.submit(spec));
  CHECK(node.stop(first));
  CHECK(must(node.wait(first, patience)).state == job_state::stopped);
  spec.reuse = reuse_spec{first, {}};
  auto second = must(node.submit(spec));
  CHECK(node.submit(spec).code() == ec::overloaded);
  transaction x;
  x.jobs = {spec};
  CHECK(node.transact(x).code() == ec::overloaded);
  CHECK(node.stop(second));
  CHECK(must(node.wait(second, patience)).state == job_state::stopped);
  CHECK(must(node.submit(spec)) != second);
}

TEST_CASE_METHOD(fixture, "lists merge shards and go on where they stopped", "[actors][list]") {
  auto node = open();
  std::vector<job_id> ids;
  for (int i = 0; i < 30; ++i) {
    auto spec = noop(node, "q" + std::to_string(i % 7));
    spec.labels["odd"] = i % 2 ? "yes" : "no";
    ids.push_back(must(node.submit(spec)));
    must(node.wait(ids.back(), patience));
  }
  std::ranges::sort(ids, std::greater{});
  std::vector<job_id> listed;
  job_filter filter;
  filter.limit = 4;
  do {
    auto page = must(node.list_page(filter));
    CHECK(page.jobs.size() <= 4);
    for (auto& x : page.jobs)
      listed.push_back(x.id);
    filter.before = page.next;
  } while (filter.before);
  CHECK(listed == ids);
  CHECK(must(node.list()).size() == 30);
  job_filter odd;
  odd.labels["odd"] = "yes";
  CHECK(must(node.list(odd)).size() == 15);
}

TEST_CASE_METHOD(fixture, "a page is full wherever its jobs lie", "[actors][list]") {
  auto node = open();
  std::vector<job_id> ids;
  for (int i = 0; i < 60; ++i) { // The first half lies in one shard, the other one in any.
    auto spec = noop(node);
    transaction x;
    x.jobs = {spec};
    ids.push_back(i < 30 ? must(node.transact(x)).front().id : must(node.submit(spec)));
    must(node.wait(ids.back(), patience));
  }
  std::ranges::sort(ids, std::greater{});
  std::vector<job_id> listed;
  job_filter filter;
  for (filter.limit = 15;;) {
    auto page = must(node.list_page(filter));
    for (auto& x : page.jobs)
      listed.push_back(x.id);
    filter.before = page.next;
    if (!filter.before)
      break;
    CHECK(page.jobs.size() == 15);
  }
  CHECK(listed == ids);
}

TEST_CASE_METHOD(fixture, "a purge counts, deletes what has ended, and nothing else",
                 "[actors][retention]") {
  auto node = open();
  std::vector<job_id> ids;
  for (int i = 0; i < 10; ++i)
    ids.push_back(must(node.submit(noop(node, i < 6 ? "a" : "b"))));
  for (auto id : ids)
    must(node.wait(id, patience));
  auto nap = graph_builder{"nap"}.add("nap", "delay", {{"for", "1h"}}).build();
  job_spec sleeping;
  sleeping.queue = "a";
  sleeping.graph = must(node.add_graph(nap));
  auto asleep = must(node.submit(sleeping));
  job_filter filter;
  filter.queue = "a";
  CHECK(must(node.purge(filter, true)) == 6);
  CHECK(must(node.purge(filter)) == 6);
  CHECK(must(node.purge(filter)) == 0);
  CHECK(node.get(ids[0]).code() == ec::no_such_job);
  CHECK(node.events(ids[0]).code() == ec::no_such_job);
  CHECK(must(node.get(ids[9])).state == job_state::completed);
  CHECK(node.remove(asleep).code() == ec::illegal_request);
  CHECK(node.remove(ids[9]));
  CHECK(node.remove(ids[9]).code() == ec::no_such_job);
  filter.state = job_state::running;
  CHECK(node.purge(filter).code() == ec::invalid_spec);
  CHECK(node.cancel(asleep));
  CHECK(must(node.wait(asleep, patience)).state == job_state::cancelled);
}

TEST_CASE_METHOD(fixture, "conditions keep no jobs back that were made before", "[actors][rows]") {
  auto node = open();
  transaction x;
  x.conditions = {{"n", {}}};
  x.rows = {{"n", bytes_of("1")}};
  x.jobs = {noop(node), noop(node)};
  x.jobs[0].idempotency_key = "a";
  CHECK(must(node.transact(x)).size() == 2);
  CHECK(node.transact(x).code() == ec::condition_failed);
  x.rows.clear();
  CHECK(node.transact(x).code() == ec::condition_failed); // One of its jobs has no key.
  x.jobs.pop_back();
  CHECK(must(node.transact(x)).front().replayed);
  CHECK(must(node.row("default", "n")) == bytes_of("1"));
  x.jobs[0].labels = {{"other", "1"}};
  CHECK(node.transact(x).code() == ec::idempotency_conflict);
  x.jobs.clear();
  CHECK(node.transact(x).code() == ec::condition_failed);
}
