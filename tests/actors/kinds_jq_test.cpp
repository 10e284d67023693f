#include "actors/kinds/jq_runner.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/kinds_attempts.hpp"

#include <csignal>
#include <unistd.h>

using namespace troupe;
using namespace troupe::actors;
using namespace troupe::tests;

namespace {

attempt program(const std::string& text, value inputs = value::object{}) {
  return attempt_of(value::object{{"program", text}}, std::move(inputs));
}

value output(const attempt_report& x) {
  INFO(x.reason.code << ": " << x.reason.detail);
  CHECK(x.outcome == attempt_end::succeeded);
  return x.output;
}

attempt_report failure_of(attempt_runner& runner, const std::string& text) {
  auto x = run(runner, program(text));
  CHECK(x.outcome == attempt_end::failed);
  return x;
}

constexpr auto endless = "def f: f; f";

} // namespace

TEST_CASE("jq gives the one output of a program over the inputs", "[actors][jq]") {
  jq_runner runner;
  CHECK(output(run(runner, program(".in | ascii_upcase", value::object{{"in", "a"}}))) == "A");
  CHECK(output(run(runner, program("{a: [1, 2.5, null, true]}")))
        == value{value::object{{"a", value::list{1, 2.5, nullptr, true}}}});
  CHECK(output(run(runner, program("empty"))) == nullptr);
  CHECK(output(run(runner, program("halt"))) == nullptr);
  CHECK(output(run(runner, program("\"a\\u0000\\u00e4\""))) == std::string("a\0\xc3\xa4", 4));
  CHECK(output(run(runner, program("[inputs] | debug | stderr"))) == value{value::list{}});
}

TEST_CASE("jq says what is wrong with a program", "[actors][jq]") {
  jq_runner runner;
  auto several = failure_of(runner, "1, 2");
  CHECK(several.reason.code == "jq_outputs");
  CHECK(several.reason.detail.find("[...]") != std::string::npos);
  auto syntax = failure_of(runner, ".[");
  CHECK(syntax.reason.code == "jq_compile");
  CHECK(syntax.reason.detail.find("syntax error, unexpected $end") == 0);
  CHECK(failure_of(runner, "nothing_like_it").reason.detail.find("nothing_like_it/0 is not defined")
        == 0);
  auto error = failure_of(runner, "error(\"my words\")");
  CHECK(error.reason.code == "jq_error");
  CHECK(error.reason.detail == "my words");
  CHECK(failure_of(runner, "{a: 1} | error").reason.detail == "{\"a\":1}");
  CHECK(failure_of(runner, "\"m\" | halt_error").reason.detail == "m");
  CHECK(failure_of(runner, "input").reason.code == "jq_error");
  CHECK(failure_of(runner, std::string{"1\0", 2}).reason.code == "jq_compile");
  CHECK(run(runner, attempt_of(value::object{})).reason.code == "invalid_config");
}

TEST_CASE("a program can be run again after it failed", "[actors][jq]") {
  jq_options options;
  options.helpers_max = 1;
  jq_runner runner{options};
  auto text = "if .in == 1 then error(\"one\") elif .in == 2 then 1, 2 else .in end";
  CHECK(run(runner, program(text, value::object{{"in", 1}})).reason.detail == "one");
  CHECK(run(runner, program(text, value::object{{"in", 2}})).reason.code == "jq_outputs");
  CHECK(output(run(runner, program(text, value::object{{"in", 3}}))) == 3);
}

TEST_CASE("a helper forgets the oldest programs, not how to run them", "[actors][jq]") {
  jq_options options;
  options.helpers_max = 1;
  options.programs_max = 2;
  jq_runner runner{options};
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 4; ++i)
      CHECK(output(run(runner, program(std::to_string(i)))) == i);
  CHECK(runner.helper_pids().size() == 1);
}

TEST_CASE("jq sees no environment", "[actors][jq]") {
  ::setenv("KINDS_SECRET", "secret", 1);
  jq_runner runner;
  CHECK(output(run(runner, program("env"))) == value{value::object{}});
  CHECK(output(run(runner, program("$ENV"))) == value{value::object{}});
  CHECK(output(run(runner, program("env.KINDS_SECRET"))) == nullptr);
}

TEST_CASE("jq cannot read a file or a module", "[actors][jq]") {
  temp_dir dir;
  std::ofstream{dir.path() / "m.jq"} << "def f: \"secret\";";
  std::ofstream{dir.path() / "d.json"} << "\"secret\"";
  auto search = " {search: \"" + dir.path().string() + "\"}; ";
  jq_runner runner;
  for (auto& text : {std::string{"import \"a\" as a; a::f"}, std::string{"include \"a\"; f"},
                     "import \"m\" as m" + search + "m::f", "include \"m\"" + search + "f",
                     "import \"d\" as $d" + search + "$d"})
    CHECK(failure_of(runner, text).reason.code == "jq_compile");
  CHECK(output(run(runner, program("get_search_list"))) == value{value::list{}});
  CHECK(output(run(runner, program("input_filename"))) == nullptr);
}

TEST_CASE("a program that wants too much memory fails, and the next one runs", "[actors][jq]") {
  jq_options options;
  options.helpers_max = 1;
  options.memory_bytes_max = 64 << 20;
  jq_runner runner{options};
  auto x = failure_of(runner, "[range(1e9)]");
  CHECK(x.reason.code == "jq_limit");
  CHECK(x.reason.detail.find("memory") != std::string::npos);
  CHECK(output(run(runner, program("1"))) == 1);
}

TEST_CASE("an output beyond the limit of a value fails, and the next one runs", "[actors][jq]") {
  jq_runner runner{{}};
  auto x = failure_of(runner, "reduce range(26) as $i (\"x\"; . + .)");
  CHECK(x.reason.code == "output_too_large");
  CHECK(output(run(runner, program("1"))) == 1);
}

TEST_CASE("a program that crashes its helper fails, and the next one runs", "[actors][jq]") {
  jq_options options;
  options.helpers_max = 1;
  jq_runner runner{options};
  auto x = failure_of(runner, "reduce range(1000000) as $i (null; [.])"); // Too deep to print.
  CHECK(x.reason.code == "jq_crashed");
  CHECK(output(run(runner, program("1"))) == 1);
}

TEST_CASE("an endless program is killed at its limit", "[actors][jq]") {
  jq_options options;
  options.run_max = std::chrono::milliseconds{50};
  jq_runner runner{options};
  auto x = failure_of(runner, endless);
  CHECK(x.reason.code == "jq_limit");
  CHECK(x.reason.detail.find("50 ms") != std::string::npos);

  auto own = program(endless);
  own.timeouts = {std::chrono::milliseconds{60}, std::chrono::milliseconds{90}};
  x = run(runner, own);
  CHECK(x.outcome == attempt_end::timed_out);
  CHECK(x.reason.code == "timed_out");
  CHECK(x.reason.detail.find("60 ms") != std::string::npos);
}

TEST_CASE("a cancel ends what runs and what waits", "[actors][jq]") {
  jq_options options;
  options.helpers_max = 1;
  jq_runner runner{options};
  auto first = program(endless), second = program("2");
  auto a = start(runner, first), b = start(runner, second), c = start(runner, program("3"));
  REQUIRE(eventually([&] { return runner.helper_pids().size() == 1; }));
  runner.cancel(second.proof, {});
  CHECK(b.wait().outcome == attempt_end::cancelled);
  CHECK_FALSE(a.reported());
  runner.cancel(first.proof, std::chrono::seconds{50});
  CHECK(a.wait().outcome == attempt_end::cancelled);
  CHECK(output(c.wait()) == 3);
}

TEST_CASE("attempts share the helpers, of which there are not too many", "[actors][jq]") {
  jq_options options;
  options.helpers_max = 2;
  jq_runner runner{options};
  CHECK(runner.helper_pids().empty()); // Until one is needed.
  std::vector<observed> all;
  for (int i = 0; i < 500; ++i)
    all.push_back(
        start(runner, program(".in + " + std::to_string(i % 3), value::object{{"in", i}})));
  for (int i = 0; i < 500; ++i)
    CHECK(output(all[i].wait()) == i + i % 3);
  CHECK(runner.helper_pids().size() <= 2);
}

TEST_CASE("inputs and outputs may be larger than pipes", "[actors][jq]") {
  jq_runner runner;
  value inputs = value::object{{"in", std::string(4 << 20, 'x')}};
  CHECK(output(run(runner, program(".", inputs))) == inputs);
}

TEST_CASE("a helper that is killed from outside is replaced", "[actors][jq]") {
  jq_options options;
  options.helpers_max = 2;
  jq_runner runner{options};
  auto victim = start(runner, program(endless));
  REQUIRE(eventually([&] { return runner.helper_pids().size() == 1; }));
  auto killed = runner.helper_pids().front();
  CHECK(output(run(runner, program("1"))) == 1); // By the other one.
  ::kill(killed, SIGKILL);
  CHECK(victim.wait().reason.code == "jq_crashed");
  for (auto idle : runner.helper_pids())
    ::kill(idle, SIGKILL);
  REQUIRE(eventually([&] { return runner.helper_pids().empty(); }));
  CHECK(output(run(runner, program("2"))) == 2);
}

TEST_CASE("helpers end with their runner and leave nothing", "[actors][jq]") {
  auto processes = children(), files = open_files();
  observed running, waiting;
  {
    jq_options options;
    options.helpers_max = 1;
    jq_runner runner{options};
    running = start(runner, program(endless));
    waiting = start(runner, program("1"));
    REQUIRE(eventually([&] { return runner.helper_pids().size() == 1; }));
  }
  CHECK(running.wait().outcome == attempt_end::cancelled);
  CHECK(waiting.wait().outcome == attempt_end::cancelled);
  CHECK(children() == processes);
  CHECK(open_files() == files);
}

TEST_CASE("without the helper program attempts fail and say what to do", "[actors][jq]") {
  jq_options options;
  options.helper = "/no/such/troupe-jq";
  jq_runner runner{options};
  CHECK(failure_of(runner, "1").reason.code == "spawn_failed");

  ::setenv("TROUPE_JQ_HELPER", "/named/helper", 1);
  auto named = find_jq_helper();
  ::unsetenv("TROUPE_JQ_HELPER");
  REQUIRE(named);
  CHECK(*named == "/named/helper");
  CHECK(find_jq_helper()->filename() == "troupe-jq");
}
