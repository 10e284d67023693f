#include "node/job_log.hpp"

namespace troupe::node {

namespace {

constexpr auto module = "jobs";

std::string text_of(const job_step& step) {
  auto text = step.from ? std::string{to_string(*step.from)} + " -> " + to_string(step.to)
                        : std::string{"accepted"};
  if (step.ran)
    text += ", ran for " + std::to_string(step.ran->count()) + " ms";
  return text;
}

log_level level_of(const attempt_step& step) {
  return step.fate == attempt_fate::succeeded ? log_level::trace : log_level::debug;
}

} // namespace

void job_log::job_stepped(const observed_job& job, const job_step& step) {
  auto level = step.to == job_state::failed ? log_level::warn : log_level::debug;
  if (log_.wants(level, module))
    say(level, job, text_of(step), step.error);
}

void job_log::job_found(const observed_job& job, job_state state) {
  if (log_.wants(log_level::debug, module))
    say(log_level::debug, job, std::string{"found "} + to_string(state) + " at the start");
}

void job_log::attempts_ended(const observed_job& job, const attempt_step& step) {
  auto level = level_of(step);
  if (log_.wants(level, module))
    say(level, job,
        std::to_string(step.count) + (step.count == 1 ? " attempt " : " attempts ")
            + to_string(step.fate) + ", " + step.kind + ", after "
            + std::to_string(step.took.count()) + " ms",
        step.error);
}

void job_log::say(log_level level, const observed_job& job, const std::string& text,
                  const std::string& code) {
  auto ns = std::to_string(static_cast<std::uint32_t>(job.ns));
  log_.say(level, module, text,
           {{"job", to_string(job.id)},
            {"queue", job.queue},
            {"namespace", ns},
            {"graph", job.graph},
            {"code", code}});
}

} // namespace troupe::node
