#pragma once

#include "actors/kinds/attempt_runner.hpp"
#include "actors/kinds/exec_options.hpp"

#include <memory>

namespace troupe::actors {

/// Runs the attempts of `exec` vertices: programs, each in a process group of its own, fed and read
/// by one thread. Whatever happens to this process, no group outlives it: the processes die with
/// that thread, a guard process kills their groups, and `kill_orphans` does it at recovery should
/// the guard have died, too. (What leaves its group, as a daemon does, has left our hands.)
///
/// A process that ended ends its attempt: what it left behind in its group is killed. Time-outs
/// count from the start of the process. Lines on stderr are log pieces, their newlines included.
///
/// Problem codes: `exit_code`, `signal`, `spawn_failed`, `bad_output`, `output_too_large`,
/// `timed_out`, `cancelled`, `invalid_config`.
class exec_runner final : public attempt_runner {
public:
  explicit exec_runner(exec_options options = {});
  /// Asks all that runs to end, and kills it after `exec_options::close_grace`. What was not
  /// reported is reported as `cancelled`.
  ~exec_runner() override;

  void start(attempt x, report done, log say) override;
  void cancel(core::token proof, core::duration grace) override;
  std::optional<runner_use> use() const override;

  /// The guard's process id, for tests and people.
  pid_t guard_pid() const noexcept;

private:
  class service;
  std::unique_ptr<service> service_;
};

} // namespace troupe::actors
