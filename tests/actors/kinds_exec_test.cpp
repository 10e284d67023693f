#include "actors/kinds/exec_runner.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/kinds_attempts.hpp"

#include <csignal>
#include <sys/resource.h>
#include <unistd.h>

using namespace troupe;
using namespace troupe::actors;
using namespace troupe::tests;

namespace {

value argv(std::vector<std::string> words) {
  value::list all;
  for (auto& x : words)
    all.emplace_back(x);
  return value::object{{"argv", std::move(all)}};
}

value shell(const std::string& script) { return value::object{{"shell", script}}; }

value with(value config, std::string_view key, value x) {
  config[key] = std::move(x);
  return config;
}

std::string text(const attempt_report& x) {
  INFO(x.reason.code << ": " << x.reason.detail);
  CHECK(x.outcome == attempt_end::succeeded);
  return x.output.string() ? *x.output.string() : "(no text)";
}

/// While it lives, this process may open `more` files beyond those that it has.
class file_limit {
public:
  explicit file_limit(rlim_t more) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    auto next = ::dup(0);
    ::close(next);
    rlimit now{static_cast<rlim_t>(next) + more, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &now) == 0);
  }
  ~file_limit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  file_limit(const file_limit&) = delete;

private:
  rlimit before_{};
};

} // namespace

TEST_CASE("exec gives standard output as text without its one last newline", "[actors][exec]") {
  exec_runner runner;
  CHECK(text(run(runner, attempt_of(argv({"printf", "a\\n\\n"})))) == "a\n");
  CHECK(text(run(runner, attempt_of(argv({"true"})))).empty());
  CHECK(text(run(runner, attempt_of(shell("echo $((6*7))")))) == "42");
}

TEST_CASE("exec reads json and ndjson", "[actors][exec]") {
  exec_runner runner;
  auto json = run(runner, attempt_of(with(shell("echo '{\"a\": [1]}'"), "output", "json")));
  CHECK(json.output == value{value::object{{"a", value::list{1}}}});
  auto lines = run(runner, attempt_of(with(shell("echo 1; echo '\"b\"'"), "output", "ndjson")));
  CHECK(lines.output == value{value::list{1, "b"}});
}

TEST_CASE("exec refuses output that is not what it should be", "[actors][exec]") {
  exec_runner runner;
  auto kind = GENERATE(as<std::string>{}, "text", "json", "ndjson");
  auto x = run(runner, attempt_of(with(shell("printf 'a\\377b'"), "output", kind)));
  CHECK(x.outcome == attempt_end::failed);
  CHECK(x.reason.code == "bad_output");
  CHECK_FALSE(x.reason.detail.empty());
}

TEST_CASE("exec gets the inputs as JSON, or what stdin says", "[actors][exec]") {
  exec_runner runner;
  value inputs = value::object{{"in", "x"}};
  CHECK(text(run(runner, attempt_of(argv({"cat"}), inputs))) == R"({"in":"x"})");
  CHECK(text(run(runner, attempt_of(with(argv({"cat"}), "stdin", "as is"), inputs))) == "as is");
  CHECK(text(run(runner, attempt_of(with(argv({"cat"}), "stdin", value::list{1}), inputs)))
        == "[1]");
}

TEST_CASE("exec feeds and reads more than pipes hold at the same time", "[actors][exec]") {
  exec_runner runner;
  std::string much(8 << 20, 'x');
  CHECK(text(run(runner, attempt_of(with(argv({"cat"}), "stdin", much)))) == much);
  CHECK(text(run(runner, attempt_of(with(shell("echo read nothing"), "stdin", much))))
        == "read nothing");
}

TEST_CASE("exec sets the environment and the directory", "[actors][exec]") {
  exec_options options;
  options.environment = {"PATH=/usr/bin:/bin", "KEPT=k", "GONE=g"};
  exec_runner runner{options};
  auto config = shell("echo $KEPT ${GONE-none} $ADDED $TROUPE_IDEMPOTENCY_KEY $TROUPE_VERTEX "
                      "$TROUPE_ATTEMPT ${#TROUPE_JOB}; pwd");
  config["env"] = value::object{{"GONE", nullptr}, {"ADDED", "a"}};
  config["cwd"] = "/usr";
  auto x = attempt_of(config);
  x.number = 3;
  auto key = x.idempotency_key;
  CHECK(text(run(runner, x)) == "k none a " + key + " v 3 36\n/usr");
}

TEST_CASE("exec fails with the exit code and the last line of stderr", "[actors][exec]") {
  exec_runner runner;
  auto config = shell("echo first >&2; echo 'it broke' >&2; exit 3");
  auto x = run(runner, attempt_of(config));
  CHECK(x.outcome == attempt_end::failed);
  CHECK(x.reason.code == "exit_code");
  CHECK(x.reason.detail == "exit code 3; the last line of stderr: it broke");
  CHECK(text(run(runner, attempt_of(with(config, "ok_codes", value::list{0, 3})))).empty());
  auto killed = run(runner, attempt_of(shell("kill -SEGV $$")));
  CHECK(killed.reason.code == "signal");
  CHECK(killed.reason.detail == "ended by signal SIGSEGV; nothing on stderr");
}

TEST_CASE("exec says what to check when a program cannot be run", "[actors][exec]") {
  exec_runner runner;
  auto files = open_files();
  auto absent = run(runner, attempt_of(argv({"no-such-program"})));
  CHECK(absent.reason.code == "spawn_failed");
  CHECK(absent.reason.detail
        == "cannot run `no-such-program`: No such file or directory; check the name, PATH, and the "
           "interpreter in its first line");
  auto forbidden = run(runner, attempt_of(argv({"/etc/passwd"})));
  CHECK(forbidden.reason.code == "spawn_failed");
  CHECK(forbidden.reason.detail.find("Permission denied") != std::string::npos);
  auto nowhere = run(runner, attempt_of(with(argv({"true"}), "cwd", "/no/such")));
  CHECK(nowhere.reason.detail
        == "cannot enter the directory `/no/such`: No such file or directory; check `cwd`");
  CHECK(open_files() == files);
}

TEST_CASE("exec refuses a wrong config and points at it", "[actors][exec]") {
  exec_runner runner;
  std::vector<std::pair<value, std::string>> wrong{
      {value::object{}, ""},
      {with(argv({"a"}), "shell", "b"), ""},
      {value::object{{"argv", value::list{}}}, "/argv"},
      {value::object{{"argv", value::list{1}}}, "/argv"},
      {value::object{{"shell", std::string{"a\0b", 3}}}, "/shell"},
      {with(argv({"true"}), "env", value::object{{"A=B", "x"}}), "/env"},
      {with(argv({"true"}), "env", value::list{}), "/env"},
      {with(argv({"true"}), "output", "xml"), "/output"},
      {with(argv({"true"}), "output_max", -1), "/output_max"},
      {with(argv({"true"}), "ok_codes", value::list{256}), "/ok_codes"},
      {with(argv({"true"}), "cwd", 1), "/cwd"},
  };
  for (auto& [config, pointer] : wrong) {
    auto x = run(runner, attempt_of(config));
    CHECK(x.reason.code == "invalid_config");
    CHECK(x.reason.pointer == pointer);
  }
}

TEST_CASE("lines on stderr are log pieces that add up to the text", "[actors][exec]") {
  exec_options options;
  options.log_line_bytes_max = 8;
  exec_runner runner{options};
  auto o = start(runner, attempt_of(shell("printf 'one\\ntwo\\377\\n' >&2; "
                                          "printf '1234567\\303\\2441\\nend' >&2")));
  CHECK(text(o.wait()).empty());
  CHECK(o.said()
        == std::vector<std::string>{"one\n", "two\xef\xbf\xbd\n", "1234567",
                                    "\xc3\xa4"
                                    "1\n",
                                    "end"});
  CHECK(o.said_after() == 0);
}

TEST_CASE("lines that arrive at once are one log piece", "[actors][exec]") {
  exec_runner runner;
  auto o = start(runner, attempt_of(shell("seq 100000 >&2")));
  CHECK(text(o.wait()).empty());
  std::string all;
  for (auto& x : o.said()) {
    CHECK(x.size() <= exec_options{}.log_line_bytes_max);
    CHECK(x.ends_with('\n'));
    all += x;
  }
  CHECK(all.size() == 588'895);
  CHECK(all.ends_with("99999\n100000\n"));
  CHECK(o.said().size() < 1000);
}

TEST_CASE("a log is bounded, and its last line still explains a failure", "[actors][exec]") {
  exec_options options;
  options.log_bytes_max = 1000;
  exec_runner runner{options};
  auto o = start(runner, attempt_of(shell("seq 100000 >&2; exit 1")));
  CHECK(o.wait().reason.detail == "exit code 1; the last line of stderr: 100000");
  CHECK(o.said().size() < 400);
  CHECK(o.said().back().find("not kept") != std::string::npos);
}

TEST_CASE("output beyond its limit kills the process", "[actors][exec]") {
  exec_runner runner;
  auto x = run(runner, attempt_of(with(shell("yes"), "output_max", 100000)));
  CHECK(x.outcome == attempt_end::failed);
  CHECK(x.reason.code == "output_too_large");
  CHECK(text(run(runner, attempt_of(with(argv({"printf", "12345"}), "output_max", 5)))) == "12345");
}

TEST_CASE("the soft time-out asks, the hard one kills", "[actors][exec]") {
  exec_runner runner;
  auto soft = attempt_of(shell("trap 'echo asked >&2; exit 0' TERM; echo ready >&2; "
                               "while :; do sleep 0.01; done"));
  soft.timeouts.soft = std::chrono::milliseconds{300};
  auto o = start(runner, soft);
  auto x = o.wait();
  CHECK(x.outcome == attempt_end::timed_out);
  CHECK(x.reason.code == "timed_out");
  CHECK(x.reason.detail.find("soft") != std::string::npos);
  CHECK(o.said().front() == "ready\n");
  CHECK(o.said().back().ends_with("asked\n")); // Before it the shell may tell of its `sleep`.

  auto hard = attempt_of(shell("trap '' TERM; while :; do sleep 0.01; done"));
  hard.timeouts = {std::chrono::milliseconds{20}, std::chrono::milliseconds{200}};
  x = run(runner, hard);
  CHECK(x.outcome == attempt_end::timed_out);
  CHECK(x.reason.detail.find("hard limit, 200 ms") != std::string::npos);

  auto only_hard = attempt_of(argv({"sleep", "1000"}));
  only_hard.timeouts.hard = std::chrono::milliseconds{50};
  CHECK(run(runner, only_hard).reason.detail.find("hard") != std::string::npos);
}

TEST_CASE("a cancel asks and then kills", "[actors][exec]") {
  exec_runner runner;
  auto polite = attempt_of(shell("trap 'echo bye >&2; exit 0' TERM; echo ready >&2; "
                                 "while :; do sleep 0.01; done"));
  auto o = start(runner, polite);
  REQUIRE(o.heard("ready\n"));
  runner.cancel(polite.proof, std::chrono::seconds{50});
  CHECK(o.wait().outcome == attempt_end::cancelled);
  CHECK(o.said().back().ends_with("bye\n"));

  auto deaf = attempt_of(shell("trap '' TERM; echo ready >&2; while :; do sleep 0.01; done"));
  auto grace = GENERATE(0, 100);
  o = start(runner, deaf);
  REQUIRE(o.heard("ready\n"));
  runner.cancel(deaf.proof, std::chrono::milliseconds{grace});
  CHECK(o.wait().reason.code == "cancelled");
  CHECK(o.reports() == 1);
  runner.cancel(deaf.proof, {}); // Unknown by now.
}

TEST_CASE("a stopped process can be cancelled", "[actors][exec]") {
  exec_runner runner;
  auto x = attempt_of(shell("echo ready >&2; kill -STOP $$; sleep 1000"));
  auto o = start(runner, x);
  REQUIRE(o.heard("ready\n"));
  runner.cancel(x.proof, std::chrono::seconds{50});
  CHECK(o.wait().outcome == attempt_end::cancelled);
}

TEST_CASE("what waits for room runs in order", "[actors][exec]") {
  temp_dir dir;
  exec_options options;
  options.parallel_max = 1;
  exec_runner runner{options};
  std::vector<observed> all;
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    auto config = shell("echo " + std::to_string(i) + " >> order");
    all.push_back(start(runner, attempt_of(with(config, "cwd", dir.path().string()))));
    expected += std::to_string(i) + "\n";
  }
  for (auto& x : all)
    x.wait();
  CHECK(read_file(dir.path() / "order") == expected);
}

TEST_CASE("no more processes run at once than the parallel limit", "[actors][exec]") {
  temp_dir dir;
  exec_options options;
  options.parallel_max = 3;
  exec_runner runner{options};
  auto script = "mkdir running-$$; ls -d running-* | wc -l; "
                "sleep 0.02; rmdir running-$$";
  std::vector<observed> all;
  for (int i = 0; i < 20; ++i)
    all.push_back(start(runner, attempt_of(with(shell(script), "cwd", dir.path().string()))));
  int most = 0;
  for (auto& x : all)
    most = std::max(most, std::stoi(text(x.wait())));
  CHECK(most <= 3);
  CHECK(most >= 2);
}

TEST_CASE("an attempt that waits for room can be cancelled, the others run", "[actors][exec]") {
  exec_options options;
  options.parallel_max = 1;
  exec_runner runner{options};
  auto first = attempt_of(shell("echo ready >&2; sleep 1000")), second = attempt_of(argv({"true"}));
  auto a = start(runner, first);
  REQUIRE(a.heard("ready\n"));
  auto b = start(runner, second), c = start(runner, attempt_of(argv({"echo", "third"})));
  runner.cancel(second.proof, std::chrono::seconds{50});
  CHECK(b.wait().outcome == attempt_end::cancelled);
  CHECK_FALSE(a.reported());
  runner.cancel(first.proof, {});
  CHECK(text(c.wait()) == "third");
}

TEST_CASE("two hundred processes leave no zombie and no descriptor", "[actors][exec]") {
  exec_runner runner;
  CHECK(text(run(runner, attempt_of(argv({"true"})))).empty());
  auto files = open_files(), processes = children();
  std::vector<observed> all;
  for (int i = 0; i < 200; ++i)
    all.push_back(start(runner, attempt_of(argv({"echo", std::to_string(i)}))));
  for (int i = 0; i < 200; ++i)
    CHECK(text(all[i].wait()) == std::to_string(i));
  CHECK(open_files() == files);
  CHECK(children() == processes);
}

TEST_CASE("attempts wait for descriptors, and fail if none runs and none comes", "[actors][exec]") {
  exec_options options;
  options.spawn_wait_max = std::chrono::milliseconds{50};
  options.spawn_retry = std::chrono::milliseconds{10};
  exec_runner runner{options};
  CHECK(text(run(runner, attempt_of(argv({"true"})))).empty());
  {
    file_limit two{20};
    std::vector<observed> all;
    for (int i = 0; i < 20; ++i)
      all.push_back(start(runner, attempt_of(shell("sleep 0.02; echo " + std::to_string(i)))));
    for (int i = 0; i < 20; ++i)
      CHECK(text(all[i].wait()) == std::to_string(i));
  }
  {
    file_limit none{2};
    auto x = run(runner, attempt_of(argv({"true"})));
    CHECK(x.reason.code == "spawn_failed");
    CHECK_THAT(x.reason.detail, Catch::Contains("raise the limit of open files"));
  }
  CHECK(text(run(runner, attempt_of(argv({"true"})))).empty());
}

TEST_CASE("an attempt that waits for descriptors can be cancelled", "[actors][exec]") {
  exec_options options;
  options.spawn_retry = std::chrono::milliseconds{1};
  exec_runner runner{options};
  auto x = attempt_of(argv({"true"}));
  file_limit none{2};
  auto o = start(runner, x);
  REQUIRE(o.heard("cannot run `true`: Too many open files; raise the limit of open files (ulimit "
                  "-n); it is tried again until there is room\n"));
  runner.cancel(x.proof, {});
  CHECK(o.wait().outcome == attempt_end::cancelled);
}

TEST_CASE("what runs at the end is asked before it is killed", "[actors][exec]") {
  temp_dir dir;
  exec_options options;
  options.close_grace = std::chrono::milliseconds{GENERATE(50, 50'000)};
  auto polite = attempt_of(with(shell("trap 'sleep 0.01; echo bye >> said; exit 0' TERM; "
                                      "echo ready >&2; while :; do sleep 0.01; done"),
                                "cwd", dir.path().string()));
  auto deaf = attempt_of(shell("trap '' TERM; echo ready >&2; while :; do sleep 0.01; done"));
  auto is_polite = options.close_grace > std::chrono::seconds{1};
  observed o;
  {
    exec_runner runner{options};
    o = start(runner, is_polite ? polite : deaf);
    REQUIRE(o.heard("ready\n"));
    if (is_polite)
      runner.cancel(polite.proof, options.close_grace); // It is not asked a second time.
  }
  CHECK(o.wait().outcome == attempt_end::cancelled);
  CHECK(read_file(dir.path() / "said") == (is_polite ? "bye\n" : ""));
}

TEST_CASE("a child has the standard descriptors and clean signals only", "[actors][exec]") {
  struct sigaction ignore {
  }, before{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGUSR1, &ignore, &before);
  exec_runner runner;
  CHECK(text(run(runner, attempt_of(argv({"ls", "/proc/self/fd"}))))
        == "0\n1\n2\n3"); // 3: ls's own.
  auto signals =
      text(run(runner, attempt_of(argv({"grep", "-E", "SigBlk|SigIgn", "/proc/self/status"}))));
  ::sigaction(SIGUSR1, &before, nullptr);
  CHECK(signals == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000");
}
