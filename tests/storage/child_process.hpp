#pragma once

#include "storage/map_guard.hpp"
#include "tests/support/catch.hpp"

#include <csignal>
#include <poll.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::test {

/// Where a child waits until it is let go on. Made before the child.
class child_gate {
public:
  child_gate() { REQUIRE(::pipe(ends_) == 0); }
  ~child_gate() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  child_gate(const child_gate&) = delete;
  child_gate& operator=(const child_gate&) = delete;

  /// Lets one `pass` go on.
  void open() const { REQUIRE(::write(ends_[1], "x", 1) == 1); }
  /// For the child: waits for one `open`.
  bool pass() const {
    char c = 0;
    return ::read(ends_[0], &c, 1) == 1;
  }

private:
  int ends_[2];
};

/// Another process that runs `body`, which writes what it has to say to a descriptor, and ends with
/// what it returns. It is killed with the object.
class child_process {
public:
  template <class Body>
  explicit child_process(Body body) {
    int said[2], errors[2];
    REQUIRE(::pipe(said) == 0);
    REQUIRE(::pipe(errors) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(errors[1], STDERR_FILENO);
      for (int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGTERM})
        ::signal(signal, SIG_DFL); // Those of the test program would report a failed test.
      storage::catch_map_signals();
      ::_exit(body(said[1]));
    }
    ::close(said[1]);
    ::close(errors[1]);
    said_ = said[0];
    errors_ = errors[0];
  }
  ~child_process() {
    if (pid_ > 0) {
      kill();
      wait();
    }
    ::close(said_);
    ::close(errors_);
  }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  /// Up to `size` bytes of what it says; fewer when it has ended or 20 s have passed.
  std::string read(std::size_t size) const { return read_from(said_, size); }
  std::string errors() const { return read_from(errors_, 4096); }
  void kill() const { ::kill(pid_, SIGKILL); }

  /// Its exit code, or 128 and the signal that ended it.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

private:
  static std::string read_from(int from, std::size_t size) {
    std::string text(size, 0);
    std::size_t got = 0;
    for (pollfd at{from, POLLIN, 0}; got<size&& ::poll(&at, 1, 20'000)> 0;) {
      auto more = ::read(from, text.data() + got, size - got);
      if (more <= 0)
        break;
      got += static_cast<std::size_t>(more);
    }
    text.resize(got);
    return text;
  }

  pid_t pid_ = -1;
  int said_ = -1, errors_ = -1;
};

} // namespace troupe::test
