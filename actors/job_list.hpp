#pragma once

#include "storage/view.hpp"
#include "troupe/job_spec.hpp"

#include <memory>
#include <span>

namespace troupe::actors {

using shard_views = std::span<const std::shared_ptr<storage::view>>;

/// What a filter asks of each shard, for a page of at most `limits::rows_page_max`.
storage::job_query query_of(const job_filter& filter);

/// A page of all shards as one: what is durable of every shard, newest first. It may have fewer
/// rows than its limit, even none, where others follow. Errors: those of `view::list`.
result<storage::job_page> list_page(shard_views views, const storage::job_query& query);

/// As many pages as it takes for `limit` rows, or for all. Errors: as above.
result<std::vector<storage::job_row>> list_jobs(shard_views views, storage::job_query query,
                                                std::size_t limit);

} // namespace troupe::actors
