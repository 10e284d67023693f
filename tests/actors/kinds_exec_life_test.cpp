#include "actors/kinds/exec_runner.hpp"
#include "actors/kinds/guard.hpp"
#include "actors/kinds/jq_runner.hpp"
#include "actors/kinds/pid_files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/kinds_attempts.hpp"

#include <csignal>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace troupe;
using namespace troupe::actors;
using namespace troupe::tests;

namespace fs = std::filesystem;

namespace {

value shell(const std::string& script) { return value::object{{"shell", script}}; }

// Two processes in a group, whose ids it writes to `file`, the leader's first.
value family(const fs::path& file) {
  return shell("sleep 1000 & echo $$ $! > " + file.string() + ".new; mv " + file.string() + ".new "
               + file.string() + "; sleep 1000");
}

// A process that leaves the group and writes its id to `file`; the group goes on with `then`.
value daemon(const std::string& file, const std::string& then) {
  return shell("setsid sh -c 'echo $$ > " + file + ".new; mv " + file + ".new " + file
               + "; exec sleep 1000' > /dev/null 2>&1 & while ! [ -s " + file
               + " ]; do sleep 0.01; done; " + then);
}

std::vector<int> numbers(const fs::path& file) {
  std::vector<int> all;
  std::istringstream in{read_file(file)};
  for (int x; in >> x;)
    all.push_back(x);
  return all;
}

bool any_alive(const std::vector<int>& pids) {
  return std::any_of(pids.begin(), pids.end(), is_alive);
}

// This program again, as a node that runs one `family` in `dir` until it is killed.
pid_t start_node(const fs::path& dir) {
  auto pid = ::fork();
  if (pid == 0) {
    ::setenv("KINDS_NODE_DIR", dir.c_str(), 1);
    ::execl("/proc/self/exe", "node", "[.kinds_node]", nullptr);
    ::_exit(127);
  }
  return pid;
}

} // namespace

TEST_CASE("a node for the tests that kill one", "[.kinds_node]") {
  fs::path dir{::getenv("KINDS_NODE_DIR")};
  exec_options options;
  options.run_dir = dir / "run";
  fs::create_directories(options.run_dir);
  exec_runner runner{options};
  auto o = start(runner, attempt_of(family(dir / "family")));
  CHECK(run(runner, attempt_of(daemon(dir / "daemon", "true"))).outcome == attempt_end::succeeded);
  REQUIRE(eventually([&] { return fs::exists(dir / "family"); }));
  jq_runner jq;
  auto endless = start(jq, attempt_of(value::object{{"program", "def f: f; f"}}));
  REQUIRE(eventually([&] { return jq.helper_pids().size() == 1; }));
  std::ofstream{dir / "guard.new"} << runner.guard_pid() << ' ' << jq.helper_pids().front();
  fs::rename(dir / "guard.new", dir / "guard");
  o.wait();
}

TEST_CASE("children, grandchildren and helpers die with a node that is killed", "[actors][exec]") {
  temp_dir dir;
  auto node = start_node(dir.path());
  REQUIRE(eventually([&] { return fs::exists(dir.path() / "guard"); }));
  auto all = numbers(dir.path() / "family");
  for (auto file : {"guard", "daemon"})
    for (auto pid : numbers(dir.path() / file))
      all.push_back(pid);
  REQUIRE(all.size() == 5);
  CHECK(std::all_of(all.begin(), all.end(), is_alive));
  ::kill(node, SIGKILL);
  ::waitpid(node, nullptr, 0);
  CHECK(eventually([&] { return !any_alive(all); }));
}

TEST_CASE("recovery kills what node and guard left behind", "[actors][exec]") {
  temp_dir dir;
  auto node = start_node(dir.path());
  REQUIRE(eventually([&] { return fs::exists(dir.path() / "guard"); }));
  auto family = numbers(dir.path() / "family");
  ::kill(node, SIGSTOP); // Or it would replace its guard.
  ::kill(numbers(dir.path() / "guard").front(), SIGKILL);
  ::kill(node, SIGKILL);
  ::waitpid(node, nullptr, 0);
  REQUIRE(eventually([&] { return !is_alive(family[0]); })); // By the parent-death signal.
  CHECK(is_alive(family[1]));
  auto killed = kill_orphans(dir.path() / "run");
  REQUIRE(killed);
  CHECK(*killed == 1);
  CHECK(eventually([&] { return !any_alive(family); }));
  CHECK(fs::is_empty(dir.path() / "run"));
  CHECK(*kill_orphans(dir.path() / "run") == 0);
  ::kill(numbers(dir.path() / "daemon").front(), SIGKILL); // Nobody is left who knows of it.
}

TEST_CASE("recovery spares processes that are not the recorded ones", "[actors][exec]") {
  temp_dir dir;
  auto stranger = ::fork();
  if (stranger == 0) {
    ::setpgid(0, 0);
    ::execl("/bin/sleep", "sleep", "1000", nullptr);
    ::_exit(127);
  }
  REQUIRE(eventually([&] { return ::getpgid(stranger) == stranger; }));
  REQUIRE(write_pid_file(dir.path(), stranger, "key"));
  auto file = dir.path() / ("exec-" + std::to_string(stranger));
  auto good = read_file(file);
  auto spoil = GENERATE(0, 1, 2);
  std::istringstream in{good};
  std::string pid, started, boot;
  in >> pid >> started >> boot;
  if (spoil == 0)
    std::ofstream{file} << pid << " 1 " << boot << "\nkey\n";
  else if (spoil == 1)
    std::ofstream{file} << pid << ' ' << started << " another-boot\nkey\n";
  else
    std::ofstream{file} << "torn";
  CHECK(*kill_orphans(dir.path()) == 0);
  CHECK(is_alive(stranger));

  std::ofstream{file} << good; // The right record: the same process is killed.
  CHECK(*kill_orphans(dir.path()) == 1);
  ::waitpid(stranger, nullptr, 0);
  CHECK(*kill_orphans(dir.path() / "none") == 0);
}

TEST_CASE("recovery in a copy of a directory spares what its owner runs", "[actors][exec]") {
  temp_dir dir;
  auto node = start_node(dir.path());
  REQUIRE(eventually([&] { return fs::exists(dir.path() / "guard"); }));
  auto family = numbers(dir.path() / "family");
  fs::copy(dir.path() / "run", dir.path() / "copy", fs::copy_options::recursive);
  CHECK(*kill_orphans(dir.path() / "copy") == 0);
  CHECK(fs::is_empty(dir.path() / "copy"));
  CHECK(std::all_of(family.begin(), family.end(), is_alive));
  ::kill(node, SIGKILL);
  ::waitpid(node, nullptr, 0);
  CHECK(eventually([&] { return !any_alive(family); }));
}

TEST_CASE("pid files are there while a process runs", "[actors][exec]") {
  temp_dir dir;
  exec_options options;
  options.run_dir = dir.path();
  exec_runner runner{options};
  auto x = attempt_of(shell("echo ready >&2; sleep 1000"));
  auto o = start(runner, x);
  REQUIRE(o.heard("ready\n"));
  CHECK_FALSE(fs::is_empty(dir.path()));
  runner.cancel(x.proof, {});
  o.wait();
  CHECK(fs::is_empty(dir.path()));
}

TEST_CASE("what a process leaves in its group is killed with it", "[actors][exec]") {
  temp_dir dir;
  exec_runner runner;
  auto file = (dir.path() / "pid").string();
  auto x = run(runner, attempt_of(shell("sleep 1000 & echo $! > " + file + "; echo done")));
  CHECK(x.output == value{"done"});
  auto left = numbers(file);
  REQUIRE(left.size() == 1);
  CHECK(eventually([&] { return !any_alive(left); }));
}

TEST_CASE("a daemon that keeps stdout open does not hold up its attempt", "[actors][exec]") {
  temp_dir dir;
  exec_runner runner;
  auto file = (dir.path() / "pid").string();
  auto script = "setsid sh -c 'echo $$ > " + file + "; exec sleep 1000' & while ! [ -s " + file
                + " ]; do sleep 0.01; done; echo done";
  auto x = run(runner, attempt_of(shell(script)));
  CHECK(x.outcome == attempt_end::succeeded);
  CHECK(x.output == value{"done"});
  auto daemon = numbers(file);
  REQUIRE(daemon.size() == 1);
  CHECK(is_alive(daemon[0])); // It left its group.
}

TEST_CASE("what has left its group ends with a cancel, and with its runner", "[actors][exec]") {
  temp_dir dir;
  auto cancelled = (dir.path() / "cancelled").string(), left = (dir.path() / "left").string();
  auto runner = std::make_unique<exec_runner>();
  CHECK(run(*runner, attempt_of(daemon(left, "true"))).outcome == attempt_end::succeeded);
  auto x = attempt_of(daemon(cancelled, "sleep 1000"));
  x.idempotency_key = "another";
  auto o = start(*runner, x);
  REQUIRE(eventually([&] { return !numbers(cancelled).empty(); }));
  runner->cancel(x.proof, core::duration{0});
  CHECK(o.wait().outcome == attempt_end::cancelled);
  CHECK(eventually([&] { return !is_alive(numbers(cancelled)[0]); }));
  CHECK(is_alive(numbers(left)[0]));
  runner.reset();
  CHECK(eventually([&] { return !is_alive(numbers(left)[0]); }));
}

TEST_CASE("the destructor kills what runs and reports everything", "[actors][exec]") {
  auto processes = children(), files = open_files();
  temp_dir dir;
  observed running, waiting;
  std::vector<int> family_pids;
  {
    exec_options options;
    options.parallel_max = 1;
    exec_runner runner{options};
    running = start(runner, attempt_of(family(dir.path() / "family")));
    REQUIRE(eventually([&] { return fs::exists(dir.path() / "family"); }));
    waiting = start(runner, attempt_of(shell("true")));
    family_pids = numbers(dir.path() / "family");
  }
  CHECK(running.reported());
  CHECK(waiting.reported());
  CHECK(running.wait().outcome == attempt_end::cancelled);
  CHECK(waiting.wait().outcome == attempt_end::cancelled);
  CHECK(eventually([&] { return !any_alive(family_pids); }));
  CHECK(children() == processes);
  CHECK(open_files() == files);
}

TEST_CASE("a guard that dies is replaced and knows the groups that run", "[actors][exec]") {
  temp_dir dir;
  auto runner = std::make_unique<exec_runner>();
  auto first = runner->guard_pid();
  auto o = start(*runner, attempt_of(family(dir.path() / "family")));
  REQUIRE(eventually([&] { return fs::exists(dir.path() / "family"); }));
  ::kill(first, SIGKILL);
  REQUIRE(eventually([&] { return runner->guard_pid() != first && runner->guard_pid() > 0; }));
  CHECK_FALSE(is_alive(first));
  CHECK(is_alive(runner->guard_pid()));
  CHECK(run(*runner, attempt_of(shell("echo still"))).output == value{"still"});
  CHECK_FALSE(o.reported());
}

TEST_CASE("a guard kills what is registered when its stream ends", "[actors][exec]") {
  auto make_group = [] {
    auto pid = ::fork();
    if (pid == 0) {
      ::setpgid(0, 0);
      ::execl("/bin/sleep", "sleep", "1000", nullptr);
      ::_exit(127);
    }
    ::setpgid(pid, pid);
    return pid;
  };
  auto kept = make_group(), left = make_group(), forgotten = make_group();
  {
    guard g{8, process_mark{{{"TROUPE_RUNNER", "of nobody"}}}};
    guard::enter(g.door(), forgotten);
    g.restart();
    guard::enter(g.door(), kept);
    guard::enter(g.door(), left);
    CHECK(guard::leave(g.door(), left));
    ::kill(g.pid(), SIGTERM); // It does not listen to a terminal or a service manager.
    ::kill(g.pid(), SIGINT);
    CHECK(eventually([&] {
      fs::directory_iterator all{"/proc/" + std::to_string(g.pid()) + "/fd"};
      return std::distance(begin(all), end(all)) == 1;
    }));
    CHECK(::getsid(g.pid()) == g.pid());
  }
  int how = 0;
  ::waitpid(kept, &how, 0);
  CHECK(WIFSIGNALED(how));
  CHECK(is_alive(left));
  CHECK(is_alive(forgotten));
  for (auto x : {left, forgotten}) {
    ::kill(x, SIGKILL);
    ::waitpid(x, nullptr, 0);
  }
}
