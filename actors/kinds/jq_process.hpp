#pragma once

#include "actors/kinds/attempt_runner.hpp"
#include "actors/kinds/jq_frames.hpp"
#include "actors/kinds/process_spawn.hpp"

#include <chrono>
#include <optional>
#include <poll.h>
#include <string>
#include <vector>

namespace troupe::actors {

/// An attempt that a helper is to run.
struct jq_task {
  core::token proof;
  std::string program;
  std::string input;    ///< JSON.
  core::duration limit; ///< From the moment a helper gets it.
  bool limit_is_own;    ///< The vertex set it: `timed_out`, else `jq_limit`.
  attempt_runner::report done;
};

/// One helper process and the attempt it runs. One thread; nothing blocks.
class jq_process {
public:
  using clock = std::chrono::steady_clock;

  explicit jq_process(child_process process) : process_(std::move(process)) {}

  pid_t pid() const noexcept { return process_.pid; }
  bool idle() const noexcept { return !task_ && !dying_ && !has_ended(process_); }
  bool runs(core::token proof) const noexcept { return task_ && task_->proof == proof; }

  /// Runs `x` and reports it. Only when `idle`.
  void give(jq_task x);
  /// Kills the process; its attempt is reported with `why` when it is gone.
  void kill(attempt_report why);

  /// Adds what has to happen before `advance` has something to do.
  void add_to(std::vector<pollfd>& waits) const;
  /// When `advance` has something to do in any case.
  std::optional<clock::time_point> deadline() const noexcept { return deadline_; }
  /// Writes, reads, reports, and kills when the time is over. False: the process is gone.
  bool advance(clock::time_point now);

private:
  void feed();
  void read();
  void take_answer();
  void finish(attempt_report x);
  attempt_report death(const exit_info& end) const;

  child_process process_;
  std::optional<jq_task> task_;
  std::optional<clock::time_point> deadline_;
  std::optional<attempt_report> verdict_;
  std::string to_send_, received_;
  std::size_t sent_ = 0;
  bool dying_ = false;
};

} // namespace troupe::actors
