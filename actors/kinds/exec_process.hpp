#pragma once

#include "actors/kinds/attempt_runner.hpp"
#include "actors/kinds/exec_config.hpp"
#include "actors/kinds/exec_options.hpp"
#include "actors/kinds/log_lines.hpp"
#include "actors/kinds/process_spawn.hpp"
#include "core/attempt_clock.hpp"

#include <chrono>
#include <optional>
#include <poll.h>

namespace troupe::actors {

/// One attempt's process, from its start to its report: what it is fed, what it says, when it is
/// asked to end and when it is killed. One thread; nothing blocks.
class exec_process {
public:
  using clock = std::chrono::steady_clock;

  exec_process(child_process process, const attempt& x, exec_config config, attempt_runner::log say,
               const exec_options& options);

  pid_t pid() const noexcept { return process_.pid; }
  const child_process& process() const noexcept { return process_; }

  /// Adds what has to happen before `advance` has something to do.
  void add_to(std::vector<pollfd>& waits) const;
  /// When `advance` has something to do in any case.
  std::optional<clock::time_point> deadline() const noexcept;

  /// Feeds, reads, and ends the process where its time has passed.
  void advance(clock::time_point now);
  /// Asks the process to end, once, kills it after `grace`. It will be `cancelled`, unless it
  /// ended.
  void cancel(core::duration grace, clock::time_point now);

  /// The process itself is gone; its id is free after `collect`.
  bool has_exited() const noexcept { return has_ended(process_); }
  /// Kills what is left of the group and reaps the process. Once, after `has_exited`.
  void collect(clock::time_point now);
  bool collected() const noexcept { return end_.has_value(); }
  /// It was asked to end, or killed: for its time, its output, or by a cancel.
  bool ended_early() const noexcept { return time_.why() != core::early_end::none || too_large_; }

  /// Collected, and its pipes are empty or their time has passed.
  bool finished() const noexcept;
  /// How it went. Once, when `finished` or given up.
  attempt_report report();

private:
  void feed();
  void read_output();
  void read_log();
  void obey(core::attempt_clock::step x);
  void kill();
  attempt_report failed(std::string code, std::string detail) const;
  std::string last_words() const;
  attempt_report output() const;

  child_process process_;
  exec_config config_;
  timeouts_spec limits_;
  core::attempt_clock time_;
  core::duration drain_max_;
  std::size_t output_max_;
  std::string input_, output_;
  std::size_t fed_ = 0;
  log_lines log_;
  std::optional<clock::time_point> drained_at_;
  std::optional<exit_info> end_;
  bool too_large_ = false, drained_ = false, asked_ = false;
};

} // namespace troupe::actors
