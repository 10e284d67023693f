#pragma once

#include "actors/kinds/process_mark.hpp"
#include "actors/kinds/unique_fd.hpp"

#include <cstddef>
#include <sys/types.h>

namespace troupe::actors {

/// A process of our own that outlives this one for a moment: when this one ends, however it ends,
/// it kills the process groups that are still registered, all that has the mark, then itself. It
/// holds nothing else of this process open and has a session of its own. One thread uses an object.
class guard {
public:
  /// Forks the process; `groups_max` bounds what it can remember.
  guard(std::size_t groups_max, process_mark mark);
  /// Ends the process: whatever is still registered is killed.
  ~guard();
  guard(const guard&) = delete;

  /// Adds a group, from the child that leads it or from here. Async-signal-safe; -1 is no door.
  static void enter(int door, pid_t group) noexcept;
  /// Removes a group; call it before the group's leader is reaped. False: `restart` is due.
  static bool leave(int door, pid_t group) noexcept;

  /// Where groups are sent; children inherit it until they execute.
  int door() const noexcept { return door_.get(); }
  /// A pidfd, readable when the process died; then call `restart` and `enter` all groups again.
  /// -1: there is no process.
  int handle() const noexcept { return handle_.get(); }
  /// Its process id, for tests and people.
  pid_t pid() const noexcept { return pid_; }

  /// Replaces the process, dead or not. The groups of the old one are forgotten, not killed.
  void restart() noexcept;

private:
  void end(int signal) noexcept;

  std::size_t groups_max_;
  process_mark mark_;
  unique_fd door_, handle_;
  pid_t pid_ = -1;
};

} // namespace troupe::actors
