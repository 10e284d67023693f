#include "actors/kinds/function_runner.hpp"
#include "actors/said_text.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/kinds_attempts.hpp"
#include "troupe/limits.hpp"

#include <atomic>
#include <semaphore>

using namespace troupe;
using namespace troupe::actors;
using namespace troupe::tests;

namespace {

using namespace std::chrono_literals;

// A runner over functions that a test adds.
struct bench {
  std::shared_ptr<function_registry> registry = std::make_shared<function_registry>();

  explicit bench(function f) { REQUIRE(registry->add("f", std::move(f), false)); }
};

attempt call_of(std::string name, value inputs = value::object{}, value arguments = {}) {
  return attempt_of(value::object{{"name", std::move(name)}, {"arguments", std::move(arguments)}},
                    std::move(inputs));
}

value until_stopped(const value&, function_context& context) {
  context.log("ready");
  std::binary_semaphore stopped{0};
  std::stop_callback release{context.stop, [&] { stopped.release(); }};
  stopped.acquire();
  return "stopped";
}

} // namespace

TEST_CASE("a function gets inputs and context and gives the output", "[actors][function]") {
  bench b{[](const value& inputs, function_context& context) -> value {
    context.log("hello \xff");
    return value::list{inputs, context.arguments, context.vertex, context.idempotency_key,
                       std::int64_t{context.attempt}};
  }};
  function_runner runner{b.registry};
  auto x = call_of("f", value::object{{"in", 1}}, "args");
  x.number = 7;
  auto o = start(runner, x);
  CHECK(o.wait().output
        == value{value::list{value::object{{"in", 1}}, "args", "v", x.idempotency_key, 7}});
  CHECK(o.said() == std::vector<std::string>{"hello \xef\xbf\xbd"});
}

TEST_CASE("a function says no more than its job takes", "[actors][function]") {
  bench b{[](const value&, function_context& context) -> value {
    for (std::size_t i = 0; i < 4 * limits::stream_bytes_max / 1'000; ++i)
      context.log(std::string(1'000, 'x'));
    return {};
  }};
  function_runner runner{b.registry};
  auto o = start(runner, call_of("f"));
  o.wait();
  // The piece that goes beyond, too: the job cuts it, and tells so.
  CHECK(o.said().size() == limits::stream_bytes_max / 1'000 + 1);
}

TEST_CASE("a function that says nothing at all many times is bounded, too", "[actors][function]") {
  auto most = limits::stream_bytes_max / limits::said_bytes_least;
  bench b{[most](const value&, function_context& context) -> value {
    for (std::size_t i = 0; i < 2 * most; ++i)
      context.log("");
    return {};
  }};
  function_runner runner{b.registry};
  auto o = start(runner, call_of("f"));
  o.wait();
  CHECK(o.said().size() == most + 1);
}

TEST_CASE("what a function returns must be able to stand in JSON", "[actors][function]") {
  bench b{[](const value& inputs, function_context&) -> value {
    if (inputs.is_null())
      return value::object{{"rows", value::list{1, value::object{{"a/b", "\xff"}}}}};
    value deep;
    for (std::size_t i = 0; i <= limits::value_depth_max; ++i)
      deep = value{value::list{std::move(deep)}};
    return deep;
  }};
  function_runner runner{b.registry};
  auto bad = run(runner, call_of("f", nullptr));
  CHECK(bad.outcome == attempt_end::failed);
  CHECK(bad.reason.code == "bad_output");
  CHECK(bad.reason.detail.find("\"/rows/1/a~1b\"") != std::string::npos);
  CHECK(run(runner, call_of("f")).reason.code == "output_too_deep");
}

TEST_CASE("exceptions of a function are failures", "[actors][function]") {
  bench b{[](const value& inputs, function_context&) -> value {
    if (inputs.string())
      throw failure("no_stock", "sold out");
    if (inputs.is_null())
      throw std::runtime_error("plain");
    throw 1;
  }};
  function_runner runner{b.registry};
  auto chosen = run(runner, call_of("f", "x"));
  CHECK(chosen.outcome == attempt_end::failed);
  CHECK(chosen.reason == problem{"no_stock", "", "sold out"});
  CHECK(run(runner, call_of("f", nullptr)).reason == problem{"exception", "", "plain"});
  CHECK(run(runner, call_of("f", 1)).reason.code == "exception");
}

TEST_CASE("an unknown function is named with those that are known", "[actors][function]") {
  bench b{[](const value& x, function_context&) { return x; }};
  function_runner runner{b.registry};
  auto x = run(runner, call_of("g"));
  CHECK(x.reason == problem{"unknown_function", "/name", "there is no function `g`; known are f"});
  CHECK(run(runner, attempt_of(value::object{})).reason.code == "invalid_config");
}

TEST_CASE("a registry keeps one function of a name", "[actors][function]") {
  function_registry registry;
  auto same = [](const value& x, function_context&) { return x; };
  CHECK(registry.add("pure", same, true));
  CHECK(registry.add("other", same, false));
  CHECK(registry.add("pure", same, false).code() == ec::invalid_spec);
  CHECK(registry.add("", same, false).code() == ec::invalid_spec);
  CHECK(registry.add("empty", nullptr, false).code() == ec::invalid_spec);
  CHECK(registry.find("pure")->pure);
  CHECK_FALSE(registry.find("none"));
  CHECK(registry.names() == std::vector<std::string>{"other", "pure"});
  auto report = call(*registry.find("pure"), call_of("pure", 5), {}, {}); // On this thread.
  CHECK(report.output == 5);
}

TEST_CASE("functions run on as many threads as there are", "[actors][function]") {
  std::atomic<int> now = 0, most = 0;
  std::counting_semaphore<100> go{0};
  bench b{[&](const value& x, function_context&) {
    auto n = ++now;
    for (auto m = most.load(); m < n && !most.compare_exchange_weak(m, n);)
      ;
    go.acquire();
    --now;
    return x;
  }};
  function_options options;
  options.threads = 3;
  function_runner runner{b.registry, options};
  std::vector<observed> all;
  for (int i = 0; i < 30; ++i)
    all.push_back(start(runner, call_of("f", i)));
  CHECK(eventually([&] { return now == 3; }));
  go.release(30);
  for (int i = 0; i < 30; ++i)
    CHECK(all[i].wait().output == i);
  CHECK(most == 3);
}

TEST_CASE("a function is asked to stop at its soft limit and by a cancel", "[actors][function]") {
  bench b{until_stopped};
  function_runner runner{b.registry};
  auto soft = call_of("f");
  soft.timeouts.soft = 20ms;
  auto x = run(runner, soft);
  CHECK(x.outcome == attempt_end::timed_out);
  CHECK(x.reason.detail.find("soft limit, 20 ms") != std::string::npos);

  auto cancelled = call_of("f");
  auto o = start(runner, cancelled);
  REQUIRE(o.heard("ready"));
  runner.cancel(cancelled.proof, 50s);
  CHECK(o.wait().outcome == attempt_end::cancelled);
  CHECK(o.reports() == 1);
}

TEST_CASE("a function that does not return is given up and its thread replaced",
          "[actors][function]") {
  std::counting_semaphore<100> go{0};
  std::atomic<int> returned = 0;
  bench b{[&](const value& inputs, function_context& context) -> value {
    if (inputs == value{"quick"})
      return inputs;
    context.log("ready");
    go.acquire();
    context.log("too late");
    ++returned;
    return "late";
  }};
  function_options options;
  options.threads = 1;
  std::vector<observed> all;
  {
    function_runner runner{b.registry, options};
    auto hard = call_of("f");
    hard.timeouts.hard = 20ms;
    all.push_back(start(runner, hard));
    CHECK(all[0].wait().outcome == attempt_end::timed_out);

    auto cancelled = call_of("f");
    all.push_back(start(runner, cancelled));
    REQUIRE(all[1].heard("ready"));
    runner.cancel(cancelled.proof, 0ms);
    CHECK(all[1].wait().outcome == attempt_end::cancelled);
    CHECK(run(runner, call_of("f", "quick")).output == "quick");
    go.release(2);
    CHECK(eventually([&] { return returned == 2; }));
    CHECK(run(runner, call_of("f", "quick")).output == "quick");
  }
  for (auto& x : all) {
    CHECK(x.reports() == 1);
    CHECK(x.said_after() == 0);
  }
}

TEST_CASE("while all threads are stuck attempts fail, and run again later", "[actors][function]") {
  std::counting_semaphore<100> go{0};
  bench b{[&](const value& inputs, function_context&) -> value {
    if (inputs != value{"quick"})
      go.acquire();
    return inputs;
  }};
  function_options options;
  options.threads = 1;
  options.abandoned_max = 0;
  function_runner runner{b.registry, options};
  auto stuck = call_of("f");
  stuck.timeouts.hard = 20ms;
  auto a = start(runner, stuck), waiting = start(runner, call_of("f", "quick"));
  CHECK(a.wait().outcome == attempt_end::timed_out);
  CHECK(waiting.wait().reason.code == "functions_stuck");
  CHECK(run(runner, call_of("f", "quick")).reason.code == "functions_stuck");
  go.release();
  CHECK(eventually([&] { return run(runner, call_of("f", "quick")).output == "quick"; }));
}

TEST_CASE("a waiting call can be cancelled", "[actors][function]") {
  bench b{until_stopped};
  function_options options;
  options.threads = 1;
  function_runner runner{b.registry, options};
  auto first = call_of("f"), second = call_of("f");
  auto a = start(runner, first);
  REQUIRE(a.heard("ready"));
  auto c = start(runner, second);
  runner.cancel(second.proof, 50s);
  CHECK(c.wait().outcome == attempt_end::cancelled);
  CHECK(c.said().empty());
  CHECK_FALSE(a.reported());
}

TEST_CASE("the destructor reports what ran and what waited", "[actors][function]") {
  std::binary_semaphore go{0};
  std::atomic<bool> returned = false;
  bench b{[&](const value& inputs, function_context& context) -> value {
    if (inputs == value{"polite"})
      return until_stopped(inputs, context);
    context.log("ready");
    go.acquire();
    returned = true;
    return inputs;
  }};
  observed polite, deaf, waiting;
  {
    function_options options;
    options.threads = 2;
    options.close_max = 20ms;
    function_runner runner{b.registry, options};
    polite = start(runner, call_of("f", "polite"));
    deaf = start(runner, call_of("f", "deaf"));
    REQUIRE(polite.heard("ready"));
    REQUIRE(deaf.heard("ready"));
    waiting = start(runner, call_of("f", "polite"));
  }
  for (auto x : {&polite, &deaf, &waiting}) {
    CHECK(x->reported());
    CHECK(x->wait().outcome == attempt_end::cancelled);
  }
  go.release();
  CHECK(eventually([&] { return returned.load(); }));
}
