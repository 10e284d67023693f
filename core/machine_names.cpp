#include "core/job_machine.hpp"
#include "core/state_names.hpp"
#include "core/vertex_machine.hpp"
#include "troupe/observer.hpp"

#include <algorithm>
#include <array>

namespace troupe::core {

namespace {

constexpr std::array job_states{"pending",   "running", "paused",    "cancelling", "stopping",
                                "completed", "failed",  "cancelled", "stopped"};
constexpr std::array job_requests{"start", "pause",  "resume", "requeue", "complete",
                                  "fail",  "expire", "cancel", "stop",    "ended"};
constexpr std::array vertex_names{"waiting",   "ready",  "running", "backoff",
                                  "succeeded", "failed", "skipped", "cancelled"};
constexpr std::array fates{"succeeded", "failed", "timed_out", "cancelled", "lost"};
constexpr std::array vertex_requests{"satisfy", "skip", "start",  "succeed", "fail",
                                     "retry",   "lose", "cancel", "reuse"};
constexpr std::array waits{"max_parallel", "worker", "back_off"};

static_assert(job_states.size() == std::size_t(last(job_state{})) + 1);
static_assert(job_requests.size() == std::size_t(last(job_request{})) + 1);
static_assert(vertex_names.size() == vertex_states);
static_assert(fates.size() == std::size_t(last(attempt_fate{})) + 1);
static_assert(waits.size() == std::size_t(last(wait_reason{})) + 1);
static_assert(vertex_requests.size() == std::size_t(last(vertex_request{})) + 1);

} // namespace

const char* to_string(job_request request) noexcept { return job_requests[std::size_t(request)]; }
const char* to_string(vertex_request request) noexcept {
  return vertex_requests[std::size_t(request)];
}

std::vector<std::string_view> job_state_names() { return {job_states.begin(), job_states.end()}; }

std::optional<job_state> parse_job_state(std::string_view name) {
  auto found = std::find(job_states.begin(), job_states.end(), name);
  if (found == job_states.end())
    return {};
  return job_state(found - job_states.begin());
}

} // namespace troupe::core

namespace troupe {

const char* to_string(job_state state) noexcept { return core::job_states[std::size_t(state)]; }
const char* to_string(vertex_state state) noexcept {
  return core::vertex_names[std::size_t(state)];
}
const char* to_string(wait_reason x) noexcept { return core::waits[std::size_t(x)]; }
const char* to_string(attempt_fate x) noexcept { return core::fates[std::size_t(x)]; }

} // namespace troupe
