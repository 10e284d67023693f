#include "actors/work_token.hpp"
#include "tests/support/must.hpp"
#include "tests/support/temp_dir.hpp"
#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

#include <future>
#include <set>

using namespace troupe;
using tests::must;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s; // For what must happen; a test that waits that long has failed.

struct fixture {
  tests::temp_dir directory;

  runtime open() {
    runtime_config config;
    config.data_dir = directory.path() / "data";
    config.cancel_grace = 60s;
    return must(runtime::open(config));
  }

  /// A vertex for a worker, and one behind it.
  job_id submit(runtime& node, value::object config = {{"task", "resize"}}) {
    auto graph = graph_builder{"g"}
                     .add("a", "worker", std::move(config))
                     .add("b", "noop")
                     .connect("a", "b")
                     .build();
    job_spec spec;
    spec.graph = must(node.add_graph(graph));
    spec.input = "x.png";
    return must(node.submit(spec));
  }

  work_item fetch(runtime& node, std::chrono::milliseconds lease = 60s) {
    work_request what;
    what.worker = "w1";
    what.lease = lease;
    what.wait = 30s;
    auto items = must(node.fetch_work(what));
    REQUIRE(items.size() == 1);
    return items.front();
  }
};

lease_state::condition extend(runtime& node, const work_item& x) {
  auto states = must(node.extend_leases({x.token}));
  REQUIRE(states.size() == 1);
  CHECK(states.front().token == x.token);
  return states.front().now;
}

} // namespace

TEST_CASE_METHOD(fixture, "a worker gets a vertex with all it needs, and its output counts",
                 "[actors][work]") {
  auto node = open();
  auto id = submit(node, value::object{{"task", "resize"}, {"arguments", value::object{{"w", 8}}}});
  auto item = fetch(node);
  CHECK(item.job == id);
  CHECK(item.vertex == "a");
  CHECK(item.task == "resize");
  CHECK(item.queue == "default");
  CHECK(item.attempt == 1);
  CHECK(item.arguments == value{value::object{{"w", 8}}});
  CHECK(item.inputs == value{value::object{{"job", "x.png"}}});
  CHECK(item.idempotency_key == to_string(id) + "/a");
  CHECK(extend(node, item) == lease_state::condition::held);
  CHECK(node.emit_work(item.token, 1, emit_kind::log, "half").code() == ec::none);
  CHECK(node.emit_work(item.token, 3, emit_kind::log, "?").code() == ec::illegal_request);
  CHECK(node.complete_work(item.token, "small.png").code() == ec::none);
  CHECK(must(node.wait(id, patience)).state == job_state::completed);
  CHECK(node.complete_work(item.token, "small.png").code() == ec::none);
  CHECK(node.complete_work(item.token, "other.png").code() == ec::stale_token);
  CHECK(node.fail_work(item.token, {"x", "", "y"}).code() == ec::stale_token);
  CHECK(extend(node, item) == lease_state::condition::lost);
}

TEST_CASE_METHOD(fixture, "a lease and its token outlive a restart of the node", "[actors][work]") {
  work_item item;
  job_id id;
  {
    auto node = open();
    id = submit(node);
    item = fetch(node);
  }
  {
    auto node = open();
    work_request other;
    CHECK(must(node.fetch_work(other)).empty()); // The worker has it still.
    CHECK(extend(node, item) == lease_state::condition::held);
    CHECK(node.complete_work(item.token, 5).code() == ec::none);
    must(node.wait(id, patience));
  }
  auto node = open(); // The job has no actor any more.
  CHECK(node.complete_work(item.token, 5).code() == ec::none);
  CHECK(node.complete_work(item.token, 6).code() == ec::stale_token);
  CHECK(node.emit_work(item.token, 1, emit_kind::log, "x").code() == ec::stale_token);
  CHECK(must(node.get(id)).state == job_state::completed);
}

TEST_CASE_METHOD(fixture, "a silent worker loses its vertex to another, and is refused then",
                 "[actors][work]") {
  auto node = open();
  auto id = submit(node);
  auto silent = fetch(node, limits::work_lease_min);
  auto next = fetch(node); // Comes once the first lease is over.
  CHECK(next.job == id);
  CHECK(next.attempt == 1);
  CHECK(next.token != silent.token);
  CHECK(node.complete_work(silent.token, 1).code() == ec::stale_token);
  CHECK(extend(node, silent) == lease_state::condition::lost);
  CHECK(node.complete_work(next.token, 2).code() == ec::none);
  auto info = must(node.wait(id, patience));
  CHECK(info.result == value{value::object{{"b", {}}}});
}

TEST_CASE_METHOD(fixture, "a worker that is to end is told, and what it says then ends its vertex",
                 "[actors][work]") {
  auto node = open();
  auto id = submit(node);
  auto item = fetch(node);
  REQUIRE(node.cancel(id).code() == ec::none);
  CHECK(must(node.get(id)).state == job_state::cancelling);
  CHECK(extend(node, item) == lease_state::condition::cancelled);
  CHECK(node.fail_work(item.token, {"cancelled", "", "asked to"}).code() == ec::none);
  CHECK(must(node.wait(id, patience)).state == job_state::cancelled);
  CHECK(node.fail_work(item.token, {"cancelled", "", "asked to"}).code() == ec::none);
}

TEST_CASE_METHOD(fixture, "a worker is told what its job is told, also after a restart",
                 "[actors][work][message]") {
  using texts = std::vector<std::string>;
  auto told = [](runtime& node, const work_item& x) {
    return must(node.extend_leases({x.token})).front().messages;
  };
  work_item item;
  job_id id;
  {
    auto node = open();
    id = submit(node);
    CHECK(node.add_message(id, "a"));
    item = fetch(node);
    CHECK(item.messages == texts{"a"});
    CHECK(told(node, item) == texts{"a"});
    CHECK(node.add_message(id, "b"));
    CHECK(told(node, item) == texts{"a", "b"});
    CHECK(told(node, item) == texts{"a", "b"}); // Again and again.
    REQUIRE(node.pause(id));
    CHECK(node.add_message(id, "c"));
  }
  auto node = open();
  CHECK(must(node.get(id)).messages == texts{"a", "b", "c"});
  CHECK(told(node, item) == texts{"a", "b", "c"});
  REQUIRE(node.resume(id));
  CHECK(node.complete_work(item.token, 1));
  auto ended = must(node.wait(id, patience));
  CHECK(ended.messages == texts{"a", "b", "c"});
  CHECK(node.add_message(id, "d").code() == ec::illegal_request);
  CHECK(node.add_message(job_id{id.high, id.low ^ 1}, "d").code() == ec::no_such_job);
  CHECK(told(node, item).empty()); // The lease is no more.

  job_spec again = must(node.spec(id));
  again.reuse = reuse_spec{id, "a"};
  auto second = must(node.submit(again));
  CHECK(must(node.get(second)).messages.empty());
  CHECK(fetch(node).messages.empty());
}

TEST_CASE_METHOD(fixture,
                 "what workers are told at once has a bound, and each lease says if it is cut",
                 "[actors][work][message]") {
  auto node = open();
  constexpr auto jobs = limits::told_messages_bytes_max / limits::job_messages_bytes_max + 2;
  const std::string text(limits::job_messages_bytes_max, 'x');
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < jobs; ++i) {
    auto id = submit(node);
    CHECK(node.add_message(id, text));
    auto item = fetch(node);
    CHECK(item.messages.size() == 1);
    tokens.push_back(item.token);
  }
  std::size_t whole = 0;
  for (auto& x : must(node.extend_leases(tokens))) {
    CHECK(x.now == lease_state::condition::held);
    CHECK(x.messages_left_out == x.messages.empty());
    whole += !x.messages_left_out;
  }
  CHECK(whole == jobs - 2);
}

TEST_CASE_METHOD(fixture, "a stopped job does not wait for its worker", "[actors][work]") {
  auto node = open();
  auto id = submit(node);
  auto item = fetch(node);
  REQUIRE(node.stop(id).code() == ec::none);
  CHECK(must(node.wait(id, patience)).state == job_state::stopped);
  CHECK(extend(node, item) == lease_state::condition::lost);
}

TEST_CASE_METHOD(fixture, "what no worker has taken is not given out while its job is paused",
                 "[actors][work]") {
  auto node = open();
  auto id = submit(node);
  auto item = fetch(node); // It was offered by now.
  REQUIRE(node.fail_work(item.token, {"x", "", "y"}).code() == ec::none);
  must(node.wait(id, patience));
  auto second = submit(node);
  REQUIRE(node.pause(second).code() == ec::none);
  CHECK(must(node.fetch_work(work_request{})).empty());
  REQUIRE(node.resume(second).code() == ec::none);
  CHECK(fetch(node).job == second);
}

TEST_CASE_METHOD(fixture, "a worker looks into its queues in their order", "[actors][work]") {
  auto node = open();
  auto later = submit(node, value::object{{"task", "t"}, {"queue", "later"}});
  auto first = submit(node, value::object{{"task", "t"}, {"queue", "first"}});
  work_request what;
  what.queues = {"first", "later"};
  what.count = 2;
  what.wait = 30s;
  std::vector<job_id> got;
  while (got.size() < 2)
    for (auto& x : must(node.fetch_work(what)))
      got.push_back(x.job);
  CHECK(std::set(got.begin(), got.end()) == std::set{first, later});
}

TEST_CASE_METHOD(fixture, "work goes to whoever is free, and what a busy worker has stays its own",
                 "[actors][work]") {
  auto node = open();
  auto held = submit(node);
  auto busy = fetch(node);
  REQUIRE(busy.job == held);
  for (int i = 0; i < 3; ++i) {
    auto id = submit(node);
    auto item = fetch(node); // As another worker: nobody has to ask the busy one.
    CHECK(item.job == id);
    CHECK(node.complete_work(item.token, i).code() == ec::none);
    CHECK(must(node.wait(id, patience)).state == job_state::completed);
  }
  CHECK(must(node.fetch_work({})).empty());
  CHECK(extend(node, busy) == lease_state::condition::held);
  CHECK(node.complete_work(busy.token, "late").code() == ec::none);
  CHECK(must(node.wait(held, patience)).state == job_state::completed);
}

TEST_CASE_METHOD(fixture, "work that was leased to nobody goes to the next worker and counts not",
                 "[actors][work]") {
  auto node = open();
  auto id = submit(node);
  work_request what;
  what.wait = 30s;
  what.lease = 24h; // It would never be over within the test.
  work_item got;
  // Each time it is given back or handed out, as the moment has it.
  for (std::uint32_t i = 0; i < 4 * limits::redeliveries_max; ++i) {
    std::promise<std::vector<work_item>> told;
    auto give_up = node.fetch_work(what, [&](const result<std::vector<work_item>>& x) {
      told.set_value(x ? *x : std::vector<work_item>{});
    });
    give_up();
    auto items = told.get_future().get();
    give_up(); // Harmless after the answer.
    if (items.empty())
      continue;
    got = items.front();
    break;
  }
  if (got.token.empty())
    got = fetch(node);
  CHECK(got.job == id);
  CHECK(got.attempt == 1);
  CHECK(node.complete_work(got.token, 1).code() == ec::none);
  CHECK(must(node.wait(id, patience)).state == job_state::completed);
}

TEST_CASE_METHOD(fixture, "work that nobody got is given back, and counts not", "[actors][work]") {
  auto node = open();
  auto id = submit(node);
  work_request what;
  what.wait = 30s;
  what.lease = 24h; // It would never be over within the test.
  work_item last;
  for (std::uint32_t i = 0; i < 2 * limits::redeliveries_max; ++i) {
    auto items = must(node.fetch_work(what));
    REQUIRE(items.size() == 1);
    if (!last.token.empty())
      CHECK(node.complete_work(last.token, 1).code() == ec::stale_token);
    last = items.front();
    CHECK(last.job == id);
    CHECK(last.attempt == 1);
    node.return_work({}, {"nonsense", last.token});
  }
  last = must(node.fetch_work(what)).front();
  node.return_work(namespace_id{1}, {last.token}); // It is not theirs.
  CHECK(must(node.extend_leases({last.token})).front().now == lease_state::condition::held);
  CHECK(node.complete_work(last.token, 1));
  node.return_work({}, {last.token});
  CHECK(must(node.wait(id, patience)).state == job_state::completed);
}

TEST_CASE_METHOD(fixture, "a fetch that was taken back leaves work to others", "[actors][work]") {
  auto node = open();
  work_request what;
  what.wait = 60s;
  bool is_empty = false;
  std::promise<void> told;
  auto give_up = node.fetch_work(what, [&](const result<std::vector<work_item>>& x) {
    is_empty = x && x->empty();
    told.set_value();
  });
  give_up();
  told.get_future().wait();
  CHECK(is_empty);
  auto id = submit(node);
  CHECK(fetch(node).job == id);
}

TEST_CASE_METHOD(fixture, "what cannot be kept of a worker's report is refused or cut",
                 "[actors][work]") {
  auto node = open();
  auto id = submit(node);
  auto item = fetch(node);
  CHECK(node.complete_work(item.token, "\xff").code() == ec::invalid_spec);
  value deep;
  for (std::size_t i = 0; i <= limits::value_depth_max; ++i)
    deep = value::list{std::move(deep)};
  CHECK(node.complete_work(item.token, deep).code() == ec::invalid_spec);
  CHECK(node.emit_work(item.token, 1, emit_kind::log, "\xff").code() == ec::invalid_spec);
  CHECK(node.fail_work(item.token, {"", "", "y"}).code() == ec::invalid_spec);
  CHECK(node.fail_work(item.token, {std::string(129, 'c'), "", "y"}).code() == ec::invalid_spec);
  std::string detail(limits::problem_bytes_max - 1, 'd');
  CHECK(node.fail_work(item.token, {"odd", std::string(9999, '/'), detail + "\xc3\xa9\xff"}).code()
        == ec::none);
  auto why = must(node.wait(id, patience)).error;
  CHECK(why.detail.find(detail + "…") != std::string::npos);
}

TEST_CASE_METHOD(fixture, "an input that cannot be kept is refused", "[actors][runtime]") {
  auto node = open();
  job_spec spec;
  spec.graph = must(node.add_graph(graph_builder{"g"}.add("a", "noop").build()));
  spec.input = "a\xff";
  CHECK(node.submit(spec).code() == ec::invalid_spec);
  spec.input = 1;
  for (std::size_t i = 0; i <= limits::value_depth_max; ++i)
    spec.input = value::list{std::move(spec.input)};
  auto refused = node.submit(spec);
  REQUIRE(refused.code() == ec::invalid_spec);
  CHECK(refused.error().detail.find("deeper than 64") != std::string::npos);
  spec.input = 1;
  spec.labels = {{"a", "\xc3"}};
  CHECK(node.submit(spec).code() == ec::invalid_spec);
}

TEST_CASE_METHOD(fixture, "one fetch brings about as many bytes as are allowed, the next the rest",
                 "[actors][work]") {
  auto node = open();
  auto graph = graph_builder{"g"}.add("a", "worker", {{"task", "resize"}}).build();
  job_spec spec;
  spec.graph = must(node.add_graph(graph));
  constexpr std::size_t jobs = 40, bytes = 1 << 20, fit = limits::work_fetch_bytes_max / bytes;
  spec.input = std::string(bytes, 'x');
  for (std::size_t i = 0; i < jobs; ++i)
    must(node.submit(spec));
  std::size_t got = 0;
  for (auto until = std::chrono::steady_clock::now() + patience;
       got < jobs && std::chrono::steady_clock::now() < until;) {
    work_request what;
    what.count = jobs;
    what.wait = 1s;
    auto items = must(node.fetch_work(what));
    CHECK(items.size() <= fit + 4);
    got += items.size();
  }
  CHECK(got == jobs);
}

TEST_CASE_METHOD(fixture, "a worker's bad request is refused", "[actors][work]") {
  auto node = open();
  auto refused = [&](auto change) {
    work_request what;
    change(what);
    return node.fetch_work(what).code();
  };
  CHECK(refused([](auto& x) { x.queues.clear(); }) == ec::invalid_spec);
  CHECK(refused([](auto& x) { x.queues = {"a b"}; }) == ec::invalid_spec);
  CHECK(refused([](auto& x) { x.count = 0; }) == ec::invalid_spec);
  CHECK(refused([](auto& x) { x.lease = 1ms; }) == ec::invalid_spec);
  CHECK(refused([](auto& x) { x.wait = 1h; }) == ec::invalid_spec);
  CHECK(node.complete_work("nonsense", {}).code() == ec::invalid_spec);
  auto token = actors::to_string(actors::work_token{1, {1, 2}, 3, {4, 5}});
  CHECK(node.complete_work(token, {}).code() == ec::no_such_job);
  CHECK(node.extend_leases(std::vector<std::string>(limits::work_extend_max + 1, token)).code()
        == ec::too_large);
}

TEST_CASE("a token is read as it was written, and only by the store that made it",
          "[actors][work]") {
  actors::work_token x{7, {0x0123456789abcdef, 0xfedcba9876543210}, 42, {1, ~std::uint64_t{}}};
  auto text = actors::to_string(x);
  auto read = must(actors::parse_work_token(text, 7));
  CHECK(read.job == x.job);
  CHECK(read.vertex == x.vertex);
  CHECK(read.proof == x.proof);
  CHECK(actors::parse_work_token(text, 8).code() == ec::stale_token);
  for (std::size_t size = 0; size < text.size(); ++size)
    CHECK(actors::parse_work_token(text.substr(0, size), 7).code() == ec::invalid_spec);
  CHECK(actors::parse_work_token(text + ".", 7).code() == ec::invalid_spec);
}
