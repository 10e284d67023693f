#pragma once

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <poll.h>
#include <pty.h>
#include <sstream>
#include <string>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace troupe::tests {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

inline constexpr auto patience = 180s;  ///< Then a test has failed.
inline constexpr int poll_every_ms = 2; ///< Between two looks at a file.

/// A directory of its own under the build directory; gone with the object.
class scratch : public temp_dir {
public:
  scratch() : temp_dir(TROUPE_BINARY_DIR "/e2e") {}

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream{path() / name} << text;
    return name;
  }
};

/// Asks again and again until `fulfilled` or the patience is over.
inline bool eventually(const std::function<bool()>& fulfilled) {
  auto until = std::chrono::steady_clock::now() + patience;
  while (!fulfilled()) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    ::poll(nullptr, 0, poll_every_ms);
  }
  return true;
}

/// What a program left behind.
struct outcome {
  int code = -1; ///< 128 + n: killed by signal n.
  std::string out, err;
};

inline constexpr auto troupe_program = TROUPE_BINARY_DIR "/bin/troupe";

/// The program `troupe`, or another one, at work in a directory. Killed with the object.
class process {
public:
  /// `err_to`: its standard error; -1: a file.
  process(const scratch& in, std::vector<std::string> arguments, const std::string& input = {},
          const char* program = troupe_program, int err_to = -1)
      : out_(unique(in, "out")), err_(unique(in, "err")) {
    auto stdin_path = unique(in, "in");
    std::ofstream{stdin_path} << input;
    arguments.insert(arguments.begin(), program);
    std::vector<char*> argv;
    for (auto& x : arguments)
      argv.push_back(x.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      redirect(stdin_path, O_RDONLY, STDIN_FILENO);
      redirect(out_, O_WRONLY | O_CREAT, STDOUT_FILENO);
      if (err_to < 0)
        redirect(err_, O_WRONLY | O_CREAT, STDERR_FILENO);
      else if (::dup2(err_to, STDERR_FILENO) < 0)
        ::_exit(126);
      if (::chdir(in.path().c_str()) == 0)
        ::execv(argv[0], argv.data());
      ::_exit(127);
    }
  }
  ~process() {
    if (!ended_) {
      send(SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  pid_t id() const noexcept { return pid_; }
  void send(int signal) const { ::kill(pid_, signal); }
  std::string out() const { return read_file(out_); }
  std::string err() const { return read_file(err_); }

  /// Waits for its end.
  outcome wait() {
    INFO(out() << err());
    pollfd ended{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)), POLLIN, 0};
    REQUIRE(ended.fd >= 0);
    auto came = ::poll(&ended, 1, static_cast<int>(std::chrono::milliseconds{patience}.count()));
    ::close(ended.fd);
    REQUIRE(came == 1);
    int how = 0;
    REQUIRE(::waitpid(pid_, &how, 0) == pid_);
    ended_ = true;
    return {WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how), out(), err()};
  }

private:
  static fs::path unique(const scratch& in, const char* kind) {
    static int n = 0;
    return in.path() / ("." + std::string{kind} + std::to_string(++n));
  }

  static void redirect(const fs::path& path, int flags, int to) {
    auto fd = ::open(path.c_str(), flags, 0600);
    if (fd < 0 || ::dup2(fd, to) < 0)
      ::_exit(126);
  }

  fs::path out_, err_;
  pid_t pid_ = -1;
  bool ended_ = false;
};

/// Runs `troupe` with these arguments on a terminal of its own; returns what that shows.
inline std::string terminal_with(const scratch& in, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), TROUPE_BINARY_DIR "/bin/troupe");
  std::vector<char*> argv;
  for (auto& x : arguments)
    argv.push_back(x.data());
  argv.push_back(nullptr);
  int screen = -1;
  auto pid = ::forkpty(&screen, nullptr, nullptr, nullptr);
  REQUIRE(pid >= 0);
  if (pid == 0) {
    if (::chdir(in.path().c_str()) == 0 && ::setenv("TERM", "xterm", 1) == 0)
      ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  std::string shown;
  pollfd ready{screen, POLLIN, 0};
  char piece[4096];
  auto patience_ms = static_cast<int>(std::chrono::milliseconds{patience}.count());
  while (::poll(&ready, 1, patience_ms) == 1) {
    auto n = ::read(screen, piece, sizeof piece);
    if (n <= 0) // A terminal that nobody writes to any more fails to be read.
      break;
    shown.append(piece, static_cast<std::size_t>(n));
  }
  ::close(screen);
  ::waitpid(pid, nullptr, 0);
  return shown;
}

/// Runs `troupe` with these arguments to its end.
inline outcome troupe_with(const scratch& in, std::vector<std::string> arguments,
                           const std::string& input = {}) {
  return process{in, std::move(arguments), input}.wait();
}

} // namespace troupe::tests
