#pragma once

#include "storage/view.hpp"
#include "troupe/job_spec.hpp"

#include <memory>
#include <span>

namespace troupe::actors {

/// What is durable of all shards, merged: jobs that fit, newest first, at most `filter.limit`.
/// Errors: those of `view::list`.
result<std::vector<storage::job_row>>
list_jobs(std::span<const std::shared_ptr<storage::view>> views, const job_filter& filter);

/// The same with any query; its limit holds for all shards together.
result<std::vector<storage::job_row>>
list_jobs(std::span<const std::shared_ptr<storage::view>> views, const storage::job_query& query);

} // namespace troupe::actors
