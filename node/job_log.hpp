#pragma once

#include "node/logging/log.hpp"
#include "troupe/observer.hpp"

namespace troupe::node {

/// Writes what becomes of jobs to the log, module `jobs`, each line with the job, its queue and its
/// namespace. A job that has failed is a warning; other steps and attempts that failed are for
/// `debug`, other attempts for `trace`. `to` must outlive it.
class job_log final : public observer {
public:
  explicit job_log(log& to) : log_(to) {}

  void job_stepped(const observed_job& job, const job_step& step) override;
  void job_found(const observed_job& job, job_state state) override;
  void attempts_ended(const observed_job& job, const attempt_step& step) override;

private:
  void say(log_level level, const observed_job& job, const std::string& text,
           const std::string& code = {});

  log& log_;
};

} // namespace troupe::node
