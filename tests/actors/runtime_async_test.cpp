#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

#include <future>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;
constexpr job_id nobody{0x0198c0de00007000, 0x8000000000000001};

/// One answer of a call that does not wait.
template <class T>
class told {
public:
  std::function<void(const T&)> callback() {
    return [to = promise_](const T& x) { to->set_value(x); };
  }
  T get() {
    REQUIRE(future_.wait_for(patience) == std::future_status::ready);
    return future_.get();
  }
  bool waits() const { return future_.wait_for(0s) != std::future_status::ready; }

private:
  std::shared_ptr<std::promise<T>> promise_ = std::make_shared<std::promise<T>>();
  std::future<T> future_ = promise_->get_future();
};

struct fixture {
  tests::temp_dir directory;
  runtime node = open();

  runtime open() {
    runtime_config config;
    config.data_dir = directory.path() / "data";
    auto opened = runtime::open(config);
    REQUIRE(opened);
    return std::move(*opened);
  }

  job_id submit(const char* kind = "noop", value::object config = {}) {
    auto graph = node.add_graph(graph_builder{"g"}.add("a", kind, std::move(config)).build());
    REQUIRE(graph);
    job_spec spec;
    spec.graph = *graph;
    auto id = node.submit(spec);
    REQUIRE(id);
    return *id;
  }
  /// A job that waits for an hour.
  job_id sleeper() { return submit("delay", value::object{{"for", "1h"}}); }
};

} // namespace

TEST_CASE_METHOD(fixture, "a wait that does not block is told of the end", "[actors][runtime]") {
  auto job = submit();
  told<result<job_info>> ended, got;
  node.wait(job, ended.callback());
  CHECK(ended.get()->state == job_state::completed);
  node.get(job, got.callback());
  CHECK(got.get()->id == job);
}

TEST_CASE_METHOD(fixture, "a wait that was taken back is not told", "[actors][runtime]") {
  auto job = sleeper();
  told<result<job_info>> first, second;
  auto give_up = node.wait(job, first.callback());
  node.wait(job, second.callback());
  give_up();
  REQUIRE(node.stop(job));
  CHECK(second.get()->state == job_state::stopped);
  CHECK(first.waits());
}

TEST_CASE_METHOD(fixture, "steps that do not block are told what became of them",
                 "[actors][runtime]") {
  auto job = sleeper();
  auto step = [&](job_change to) {
    told<status> done;
    node.change(job, to, "asked", done.callback());
    return done.get().code();
  };
  CHECK(step(job_change::pause) == ec::none);
  CHECK(node.get(job)->state == job_state::paused);
  CHECK(step(job_change::resume) == ec::none);
  CHECK(step(job_change::cancel) == ec::none);
  REQUIRE(node.wait(job, patience));
  CHECK(step(job_change::stop) == ec::illegal_request);
  told<status> removed, again;
  node.remove(job, removed.callback());
  CHECK(removed.get().code() == ec::none);
  node.remove(job, again.callback());
  CHECK(again.get().code() == ec::no_such_job);
}

TEST_CASE_METHOD(fixture, "every call that does not block is told of a closed runtime",
                 "[actors][runtime]") {
  node.close();
  told<result<job_info>> got, ended;
  told<status> moved, removed;
  told<result<event_reader>> watching;
  node.get(nobody, got.callback());
  node.wait(nobody, ended.callback());
  node.change(nobody, job_change::stop, "", moved.callback());
  node.remove(nobody, removed.callback());
  node.events(nobody, 1, watching.callback());
  CHECK(got.get().code() == ec::not_ready);
  CHECK(ended.get().code() == ec::not_ready);
  CHECK(moved.get().code() == ec::not_ready);
  CHECK(removed.get().code() == ec::not_ready);
  CHECK(watching.get().code() == ec::not_ready);
}

TEST_CASE_METHOD(fixture, "a reader that is told when there is more gets all without waiting",
                 "[actors][runtime]") {
  auto job = sleeper();
  told<result<event_reader>> opened;
  node.events(job, 1, opened.callback());
  auto reader = *opened.get();
  std::vector<event> all;
  for (bool asked = false; all.empty() || all.back().type != "end";) {
    std::promise<void> more;
    reader.when_more([&] { more.set_value(); });
    if (!all.empty() && !std::exchange(asked, true))
      REQUIRE(node.stop(job));
    REQUIRE(more.get_future().wait_for(patience) == std::future_status::ready);
    if (auto some = reader.next(0ms))
      all.insert(all.end(), some->begin(), some->end());
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    CHECK(all[i].id == i + 1);
}

TEST_CASE_METHOD(fixture, "a reader that begins beyond the last event of a job ends with it",
                 "[actors][runtime]") {
  auto job = sleeper();
  auto early = *node.events(job, 1'000);
  std::promise<void> more;
  early.when_more([&] { more.set_value(); });
  REQUIRE(node.stop(job));
  REQUIRE(more.get_future().wait_for(patience) == std::future_status::ready);
  for (auto some = early.next(patience);; some = early.next(patience)) {
    REQUIRE((some || some.code() == ec::timed_out));
    if (some && some->empty())
      break;
    REQUIRE_FALSE(some); // It waits for the end.
  }
  auto late = *node.events(job, 1'000);
  auto none = late.next(0ms);
  REQUIRE(none);
  CHECK(none->empty());
}

TEST_CASE_METHOD(fixture, "the vertices of a job come in pages", "[actors][runtime]") {
  graph_builder graph{"three"};
  for (auto name : {"a", "b", "c"})
    graph.add(name, "noop");
  job_spec spec;
  spec.graph = *node.add_graph(graph.build());
  auto job = *node.submit(spec);
  REQUIRE(node.wait(job, patience));
  auto first = node.vertices(job, 0, 2);
  REQUIRE(first);
  REQUIRE(first->vertices.size() == 2);
  CHECK(first->vertices[1].id == "b");
  CHECK(first->vertices[1].kind == "noop");
  CHECK(first->vertices[1].state == vertex_state::succeeded);
  CHECK(first->vertices[1].attempts == 1); // As its events tell.
  REQUIRE(first->next);
  auto rest = node.vertices(job, *first->next, 2);
  REQUIRE(rest->vertices.size() == 1);
  CHECK(rest->vertices[0].id == "c");
  CHECK_FALSE(rest->next);
  CHECK(node.vertices(nobody).code() == ec::no_such_job);
}

TEST_CASE_METHOD(fixture, "a digest of one's own tells requests with the same key apart",
                 "[actors][runtime][keys]") {
  job_spec spec;
  spec.graph = *node.add_graph(graph_builder{"g"}.add("a", "noop").build());
  spec.idempotency_key = "k";
  spec.request_digest = "one";
  auto first = node.submit_once(spec);
  REQUIRE(first);
  CHECK(*node.submit_once(spec) == submitted{first->id, true});
  spec.request_digest = "two";
  CHECK(node.submit(spec).code() == ec::idempotency_conflict);
  spec.request_digest.assign(limits::request_digest_bytes_max + 1, 'x');
  CHECK(node.submit(spec).code() == ec::invalid_spec);
}

TEST_CASE_METHOD(fixture, "a job is made again from what did not succeed", "[actors][runtime]") {
  graph_builder graph{"two"};
  graph.add("good", "noop").add("bad", "jq", value::object{{"program", "error(\"no\")"}});
  job_spec spec;
  spec.graph = *node.add_graph(graph.build());
  spec.input = 7;
  spec.labels["colour"] = "blue";
  auto first = *node.submit(spec);
  REQUIRE(node.wait(first, patience)->state == job_state::failed);
  auto again = node.spec(first);
  REQUIRE(again);
  CHECK(again->input == value{7});
  CHECK(again->labels == spec.labels);
  again->reuse = reuse_spec{first, ""};
  auto second = node.submit(*again);
  REQUIRE(second);
  REQUIRE(node.wait(*second, patience));
  auto events = node.events(*second);
  std::size_t reused = 0, started = 0;
  for (bool ended = false; !ended;)
    for (auto& x : *events->next(patience)) {
      ended = x.type == "end";
      auto vertex = x.data.find("vertex");
      reused += x.type == "end_vertex" && vertex && *vertex == value{"good"};
      started += x.type == "vertex_start" && vertex && *vertex == value{"good"};
    }
  CHECK(reused == 1);
  CHECK(started == 0);
  CHECK(node.get(*second)->retry_of == first);
}
