#include "node/interrupts.hpp"
#include "tests/support/catch.hpp"

#include <csignal>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace troupe::node;

TEST_CASE("a hang-up is told once and ends nothing", "[node]") {
  hangups told;
  CHECK_FALSE(told.take());
  REQUIRE(::raise(SIGHUP) == 0);
  CHECK(told.take());
  CHECK_FALSE(told.take());
}

TEST_CASE("a closed terminal asks to end, and is told only once", "[node]") {
  interrupts signals;
  CHECK(signals.caught() == 0);
  REQUIRE(::raise(SIGHUP) == 0);
  REQUIRE(::raise(SIGHUP) == 0);
  CHECK(signals.caught() == SIGHUP);
  CHECK(fault_of(SIGHUP) == fault::terminated);
  CHECK(fault_of(SIGINT) == fault::interrupted);
}

TEST_CASE("a program that is to outlive its terminal does", "[node]") {
  ::signal(SIGHUP, SIG_IGN);
  {
    interrupts signals;
    REQUIRE(::raise(SIGHUP) == 0);
    CHECK(signals.caught() == 0);
  }
  CHECK(::signal(SIGHUP, SIG_DFL) == SIG_IGN);
}

TEST_CASE("a second signal ends a program also if nobody reads its last words", "[node]") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_NONBLOCK) == 0);
  while (::write(ends[1], "x", 1) == 1) {
  }
  REQUIRE(::fcntl(ends[1], F_SETFL, 0) == 0); // As a standard error is.
  auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(60); // Then the test has failed.
    ::dup2(ends[1], STDERR_FILENO);
    interrupts signals;
    signals.say_if_ended_at_once("what to do\n");
    ::raise(SIGTERM);
    ::raise(SIGINT);
    ::_exit(1); // Not reached.
  }
  int how = 0;
  REQUIRE(::waitpid(child, &how, 0) == child);
  ::close(ends[0]);
  ::close(ends[1]);
  CHECK(WIFEXITED(how));
  CHECK(WEXITSTATUS(how) == 128 + SIGINT);
}

TEST_CASE("a second signal ends a program at once, with its last words", "[node]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    interrupts signals;
    signals.say_if_ended_at_once("what to do\n");
    ::raise(SIGTERM);
    ::raise(SIGINT);
    ::_exit(1); // Not reached.
  }
  ::close(ends[1]);
  char text[32];
  auto n = ::read(ends[0], text, sizeof text);
  ::close(ends[0]);
  int how = 0;
  REQUIRE(::waitpid(child, &how, 0) == child);
  CHECK(WIFEXITED(how));
  CHECK(WEXITSTATUS(how) == 128 + SIGINT);
  REQUIRE(n > 0);
  CHECK(std::string(text, static_cast<std::size_t>(n)) == "what to do\n");
}
