#include "actors/said_text.hpp"
#include "tests/support/kinds_attempts.hpp"
#include "tests/support/must.hpp"
#include "tests/support/temp_dir.hpp"
#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

#include <atomic>

using namespace troupe;
using tests::must;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s; // For what must happen; a test that waits that long has failed.

value echo(const value& inputs, function_context&) {
  auto in = inputs.find("in");
  return in ? *in : value{};
}

value large(const value&, function_context&) { return std::string(1 << 20, 'x'); }

value talkative(const value&, function_context& context) {
  context.log(std::string(2 * limits::stream_bytes_max, 'x'));
  return {};
}

value stammering(const value&, function_context& context) {
  for (std::size_t i = 0; i < 2 * limits::stream_bytes_max / limits::said_bytes_least; ++i)
    context.log("x");
  return {};
}

value throwing(const value&, function_context&) { throw std::runtime_error{"no luck"}; }

/// Holds its attempt until it is asked to stop.
value patient(const value&, function_context& context) {
  std::atomic<bool> stopped = false;
  std::stop_callback wake{context.stop, [&] {
                            stopped = true;
                            stopped.notify_all();
                          }};
  stopped.wait(false);
  return {};
}

struct fixture {
  tests::temp_dir directory;
  runtime_config config;

  fixture() { config.data_dir = directory.path() / "data"; }

  runtime open() {
    return must(runtime::open(config, {{"echo", echo, true},
                                       {"large", large, false},
                                       {"large_pure", large, true},
                                       {"talkative", talkative, false},
                                       {"stammering", stammering, false},
                                       {"throwing", throwing, false},
                                       {"patient", patient, false}}));
  }

  job_id submit(runtime& node, const graph_spec& graph, value input = {}) {
    job_spec spec;
    spec.graph = must(node.add_graph(graph));
    spec.input = std::move(input);
    return must(node.submit(spec));
  }

  std::vector<event> all_events(runtime& node, job_id id, std::uint64_t from = 1) {
    auto reader = must(node.events(id, from));
    std::vector<event> all;
    for (;;) {
      auto some = must(reader.next(patience));
      if (some.empty())
        return all;
      all.insert(all.end(), some.begin(), some.end());
    }
  }
};

graph_spec call(const std::string& function) {
  return graph_builder{"call"}.add("a", "function", {{"name", function}}).build();
}

} // namespace

TEST_CASE_METHOD(fixture, "a job gives the outputs of its sinks", "[actors][runtime]") {
  auto node = open();
  auto graph = graph_builder{"g"}
                   .add("a", "noop", {{"output", 3}})
                   .add("b", "function", {{"name", "echo"}})
                   .connect("a", "b")
                   .build();
  auto info = must(node.wait(submit(node, graph), patience));
  CHECK(info.state == job_state::completed);
  CHECK(info.result == value{value::object{{"b", 3}}});
  CHECK(info.in(vertex_state::succeeded) == 2);
}

TEST_CASE_METHOD(fixture, "events are the same live, late and after a restart",
                 "[actors][runtime][events]") {
  auto graph = graph_builder{"g"}
                   .add("a", "function", {{"name", "large"}})
                   .add("b", "exec", {{"shell", "echo to people >&2; echo out"}})
                   .add("c", "jq", {{"program", ".in"}})
                   .connect("b", "c")
                   .build();
  job_id id;
  std::vector<event> live;
  {
    auto node = open();
    id = submit(node, graph);
    live = all_events(node, id);
    must(node.wait(id, patience));
    CHECK(all_events(node, id) == live);
  }
  auto node = open();
  CHECK(all_events(node, id) == live);
  auto late = all_events(node, id, 5);
  CHECK(std::equal(late.begin(), late.end(), live.begin() + 4, live.end()));
  for (std::size_t i = 0; i < live.size(); ++i)
    CHECK(live[i].id == i + 1);
  CHECK(live.back().type == "end");
}

TEST_CASE_METHOD(fixture, "values beyond a record's size go through blobs and come back whole",
                 "[actors][runtime][blobs]") {
  auto function = GENERATE(as<std::string>{}, "large", "large_pure");
  auto graph = graph_builder{"g"}
                   .add("a", "function", {{"name", function}})
                   .add("b", "function", {{"name", "echo"}})
                   .connect("a", "b")
                   .build();
  job_id id;
  {
    auto node = open();
    id = submit(node, graph, std::string(200'000, 'i'));
    must(node.wait(id, patience));
  }
  auto node = open();
  auto info = must(node.get(id));
  CHECK(info.result == value{value::object{{"b", std::string(1 << 20, 'x')}}});
}

TEST_CASE_METHOD(fixture, "what a function throws is the failure of its job", "[actors][runtime]") {
  auto node = open();
  auto info = must(node.wait(submit(node, call("throwing")), patience));
  CHECK(info.state == job_state::failed);
  CHECK(info.error.code == "exception");
  CHECK(info.error.detail.find("no luck") != std::string::npos);
}

TEST_CASE_METHOD(fixture, "cancel and stop end what runs", "[actors][runtime]") {
  auto node = open();
  auto id = submit(node, call("patient"));
  SECTION("cancel") {
    CHECK(node.cancel(id, "enough"));
    CHECK(must(node.wait(id, patience)).state == job_state::cancelled);
    CHECK(node.cancel(id).code() == ec::illegal_request);
  }
  SECTION("stop") {
    CHECK(node.stop(id));
    CHECK(must(node.wait(id, patience)).state == job_state::stopped);
  }
}

TEST_CASE_METHOD(fixture, "a paused job starts nothing until it is resumed", "[actors][runtime]") {
  auto node = open();
  auto graph = graph_builder{"g"}
                   .add("a", "delay", {{"for", "50ms"}})
                   .add("b", "noop")
                   .connect("a", "b")
                   .build();
  auto id = submit(node, graph);
  CHECK(node.pause(id));
  CHECK(must(node.get(id)).state == job_state::paused);
  CHECK(node.wait(id, 200ms).code() == ec::timed_out);
  CHECK(node.resume(id));
  CHECK(must(node.wait(id, patience)).state == job_state::completed);
}

TEST_CASE_METHOD(fixture, "an unfinished job goes on after a restart", "[actors][runtime]") {
  job_id id;
  {
    auto node = open();
    id = submit(node, call("patient"));
    auto reader = must(node.events(id));
    for (bool started = false; !started;)
      for (auto& x : must(reader.next(patience)))
        started = started || x.type == "vertex_start";
  }
  SECTION("by itself") {
    auto node = open();
    CHECK(must(node.get(id)).state == job_state::running);
    CHECK(node.cancel(id));
    CHECK(must(node.wait(id, patience)).state == job_state::cancelled);
  }
  SECTION("or when it is released") {
    config.hold_recovered = true;
    auto node = open();
    CHECK(node.cancel(id).code() == ec::illegal_request);
    CHECK(node.release(id));
    CHECK(node.release(id).code() == ec::no_such_job);
    CHECK(node.cancel(id));
    CHECK(must(node.wait(id, patience)).state == job_state::cancelled);
  }
}

TEST_CASE_METHOD(fixture, "of a log that is too long the beginning is kept, and that it was cut",
                 "[actors][runtime]") {
  auto node = open();
  auto id = submit(node, call("talkative"));
  REQUIRE(must(node.wait(id, patience)).state == job_state::completed);
  std::size_t kept = 0;
  value cut;
  for (auto& x : all_events(node, id))
    if (auto text = x.data.find("text")) {
      kept += text->string()->size();
      cut = x.data.find("cut") ? *x.data.find("cut") : value{};
    }
  CHECK(kept == limits::stream_bytes_max);
  CHECK(cut == value{true});
}

TEST_CASE_METHOD(fixture, "a log of many lines is few events, and its text is whole",
                 "[actors][runtime]") {
  auto node = open();
  auto graph = graph_builder{"g"}.add("a", "exec", {{"shell", "yes | head -c 300000 >&2"}}).build();
  auto id = submit(node, graph);
  REQUIRE(must(node.wait(id, patience)).state == job_state::completed);
  std::string all;
  std::size_t pieces = 0;
  for (auto& x : all_events(node, id))
    if (x.type == "log") {
      all += *x.data.find("text")->string();
      ++pieces;
    }
  CHECK(all.size() == 300'000);
  CHECK(all.ends_with("y\ny\n"));
  CHECK(pieces < 1000);
}

TEST_CASE_METHOD(fixture, "a function that logs single letters makes a bounded number of events",
                 "[actors][runtime]") {
  auto node = open();
  auto id = submit(node, call("stammering"));
  REQUIRE(must(node.wait(id, patience)).state == job_state::completed);
  std::size_t pieces = 0;
  value cut;
  for (auto& x : all_events(node, id))
    if (x.type == "log") {
      ++pieces;
      cut = x.data.find("cut") ? *x.data.find("cut") : value{};
    }
  CHECK(pieces == limits::stream_bytes_max / limits::said_bytes_least);
  CHECK(cut == value{true});
}

TEST_CASE_METHOD(fixture, "a program is asked to end at a close, and runs again at the next open",
                 "[actors][runtime]") {
  auto mark = (directory.path() / "mark").string(), bye = (directory.path() / "bye").string();
  auto graph = graph_builder{"g"}
                   .add("a", "exec",
                        {{"shell", "test -e " + bye + " && exit 0; trap 'echo bye > " + bye
                                       + "; exit 1' TERM; echo > " + mark
                                       + "; while :; do sleep 0.01; done"}})
                   .build();
  job_id id;
  {
    auto node = open();
    id = submit(node, graph);
    REQUIRE(tests::eventually([&] { return std::filesystem::exists(mark); }));
    node.close();
  }
  CHECK(tests::read_file(bye) == "bye\n");
  auto node = open();
  CHECK(must(node.wait(id, patience)).state == job_state::completed);
  for (auto& x : all_events(node, id))
    if (x.type == "vertex_start")
      CHECK(*x.data.find("attempt") == value{1});
}

TEST_CASE_METHOD(fixture, "a job can reuse what an earlier one recorded", "[actors][runtime]") {
  auto node = open();
  auto marks = directory.path() / "marks";
  auto graph = graph_builder{"g"}
                   .add("a", "exec", {{"shell", "echo a >> " + marks.string() + "; echo 1"}})
                   .add("b", "exec", {{"shell", "echo b >> " + marks.string() + "; cat"}})
                   .connect("a", "b")
                   .build();
  auto first = submit(node, graph);
  must(node.wait(first, patience));
  job_spec again;
  again.graph = must(node.add_graph(graph));
  again.reuse = reuse_spec{first, "b"};
  auto second = must(node.wait(must(node.submit(again)), patience));
  CHECK(second.state == job_state::completed);
  CHECK(second.retry_of == first);
  CHECK(tests::read_file(marks) == "a\nb\nb\n");
  again.reuse = reuse_spec{first, "nobody"};
  CHECK(node.submit(again).code() == ec::no_such_vertex);
}

TEST_CASE("a job that reuses all its results ends as any other does", "[actors][runtime]") {
  tests::temp_dir directory;
  runtime_config config;
  config.data_dir = directory.path() / "data";
  config.shards = 1;
  config.running_jobs_max = 1;
  auto node = must(runtime::open(config));
  job_spec spec;
  spec.graph = must(node.add_graph(graph_builder{"g"}.add("a", "noop", {{"output", 1}}).build()));
  auto first = must(node.submit(spec));
  must(node.wait(first, patience));
  auto again = spec;
  again.reuse = reuse_spec{first, ""};
  for (int i = 0; i < 3; ++i) {
    auto id = must(node.submit(again));
    CHECK(must(node.wait(id, patience)).result == value{value::object{{"a", 1}}});
    REQUIRE(node.remove(id));
    CHECK(node.get(id).code() == ec::no_such_job);
  }
  CHECK(must(node.wait(must(node.submit(spec)), patience)).state == job_state::completed);
}

TEST_CASE("a large result is read for who asks for it", "[actors][runtime][outputs]") {
  tests::temp_dir directory;
  runtime_config config;
  config.data_dir = directory.path() / "data";
  job_id id;
  const value whole{value::object{{"a", std::string(limits::record_value_bytes_max, 'x')}}};
  auto looks_right = [&](runtime& node) {
    CHECK(must(node.describe(id)).state == job_state::completed);
    CHECK(must(node.describe(id)).result.is_null());
    CHECK(must(node.get(id)).result == whole);
    CHECK(must(node.wait(id, patience)).result == whole);
  };
  {
    auto node = must(runtime::open(config));
    job_spec spec;
    spec.graph = must(
        node.add_graph(graph_builder{"g"}
                           .add("a", "jq", {{"program", ".job | [range(.)] | map(\"x\") | add"}})
                           .build()));
    spec.input = std::int64_t{limits::record_value_bytes_max};
    id = must(node.submit(spec));
    CHECK(must(node.wait(id, patience)).result == whole);
    looks_right(node);
  }
  auto node = must(runtime::open(config));
  looks_right(node);
}

TEST_CASE_METHOD(fixture, "lists hold the jobs of every shard, newest first", "[actors][runtime]") {
  auto node = open();
  auto graph = must(node.add_graph(call("echo")));
  std::vector<job_id> ids;
  for (auto queue : {"a", "b", "c", "d", "e", "f"}) {
    job_spec spec;
    spec.graph = graph;
    spec.queue = queue;
    ids.push_back(must(node.submit(spec)));
    must(node.wait(ids.back(), patience));
  }
  auto all = must(node.list());
  REQUIRE(all.size() == ids.size());
  CHECK(std::ranges::is_sorted(all, std::greater{}, &job_info::id));
  job_filter filter;
  filter.queue = "c";
  CHECK(must(node.list(filter)).size() == 1);
  filter = {};
  filter.limit = 2;
  CHECK(must(node.list(filter)).size() == 2);
  filter = {};
  filter.unfinished = true;
  CHECK(must(node.list(filter)).empty());
}

TEST_CASE_METHOD(fixture, "bad jobs are refused at the door", "[actors][runtime]") {
  auto node = open();
  job_spec spec;
  CHECK(node.submit(spec).code() == ec::no_such_graph);
  spec.graph = must(node.add_graph(call("echo")));
  spec.queue = "no spaces";
  CHECK(node.submit(spec).code() == ec::invalid_spec);
  spec.queue = "q";
  spec.labels["bad key"] = "x";
  CHECK(node.submit(spec).code() == ec::invalid_spec);
  CHECK(node.add_graph(call("unknown")).code() == ec::invalid_spec);
  CHECK(node.get({}).code() == ec::no_such_job);
  CHECK(node.events({}).code() == ec::no_such_job);
  CHECK(node.wait({}, patience).code() == ec::no_such_job);
}

TEST_CASE_METHOD(fixture, "a data directory has one runtime", "[actors][runtime]") {
  auto node = open();
  CHECK(runtime::open(config).code() == ec::already_open);
  node.close();
  CHECK(node.get({}).code() == ec::not_ready);
  auto next = runtime::open(config);
  CHECK(next);
}

TEST_CASE_METHOD(fixture, "in memory nothing touches the disk", "[actors][runtime]") {
  config.memory = true;
  auto node = open();
  auto info = must(node.wait(submit(node, call("large")), patience));
  CHECK(info.state == job_state::completed);
  CHECK_FALSE(std::filesystem::exists(config.data_dir));
}
