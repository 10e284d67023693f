#pragma once

#include "node/progress.hpp"
#include "troupe/job_spec.hpp"

#include <span>
#include <string>

/// Jobs as tables for people. Pure; any thread.
namespace troupe::node {

/// Jobs below each other.
std::string jobs_table(std::span<const job_info> jobs);

/// All that is known of one job. `owner`: a line about who runs it, or empty.
std::string job_table(const job_info& job, std::span<const vertex_failure> failures,
                      const std::string& owner = {});

} // namespace troupe::node
