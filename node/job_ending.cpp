#include "node/job_ending.hpp"

#include <algorithm>

namespace troupe::node {

namespace {

constexpr std::size_t failures_named = 3;

std::string reason_of(const job_info& job, std::span<const vertex_failure> failures,
                      std::size_t failed) {
  std::string why;
  for (auto& x : failures.first(std::min(failures.size(), failures_named)))
    why += (why.empty() ? "" : "; ") + x.vertex + ": " + x.why.code + ": " + x.why.detail;
  if (why.empty())
    return job.error.code + ": " + job.error.detail;
  if (failed > failures_named)
    why += "; and " + std::to_string(failed - failures_named) + " more";
  return why;
}

} // namespace

std::optional<trouble> ending_of(const job_info& job, std::span<const vertex_failure> failures,
                                 std::size_t failed, const std::string& next) {
  auto name = "job " + to_string(job.id);
  if (job.state == job_state::completed)
    return {};
  if (job.state != job_state::failed)
    return trouble{fault::job_cancelled, name + " was " + to_string(job.state), {}, next};
  return trouble{fault::job_failed, name + " has failed", reason_of(job, failures, failed), next};
}

} // namespace troupe::node
