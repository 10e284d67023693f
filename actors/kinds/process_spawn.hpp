#pragma once

#include "actors/kinds/unique_fd.hpp"
#include "troupe/error.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace troupe::actors {

/// A program to run.
struct spawn_request {
  std::vector<std::string> argv;        ///< Without a slash in it, the first is looked up in PATH.
  std::vector<std::string> environment; ///< `NAME=value`, all of it; its PATH is the one used.
  std::string directory;                ///< Empty: where the node is.
  bool with_stderr = true;              ///< Else it goes to /dev/null.
  int guard = -1;                       ///< Where the group registers itself (`guard::door`).
};

/// A process that was started: it leads a process group of its own, `pid`.
struct child_process {
  pid_t pid = -1;
  unique_fd handle;       ///< A pidfd: readable when the process has ended.
  unique_fd in, out, err; ///< Our ends, which do not block.
};

/// How a process ended.
struct exit_info {
  bool lost = false; ///< Somebody else reaped it: neither is known.
  int code = 0;      ///< If it exited.
  int signal = 0;    ///< If a signal ended it.
};

/// Has programs begin with this soft limit of open files. A process that raises its own says so:
/// programs that were written for a low one must not inherit that. Any thread.
void limit_open_files_of_programs(std::uint64_t soft) noexcept;

/// Runs a program with clean signals and only the three standard descriptors. It is killed when the
/// calling *thread* ends: call it on a thread that lives as long as the processes.
/// Errors: `overloaded`: there are no descriptors, processes or memory for it now, and nothing of
/// the program has run; else `io_failed`. The detail names the program and says what to check.
result<child_process> spawn(const spawn_request& request);

/// True if the process has ended; it stays a zombie, so that its id and group stay its own.
bool has_ended(const child_process& process) noexcept;

/// Waits for the end of the process, and frees its id.
exit_info reap(const child_process& process) noexcept;

/// Sends a signal to the process and its whole group. Only before `reap`.
void signal_group(const child_process& process, int signal) noexcept;

/// "exit code 3", "signal SIGSEGV": for people.
std::string to_string(const exit_info& end);

} // namespace troupe::actors
