#include "actors/job_list.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

/// All that fits of one shard, up to the limit, however many pages that takes.
status list_shard(storage::view& view, storage::job_query query,
                  std::vector<storage::job_row>& to) {
  for (auto wanted = query.limit; wanted > 0;) {
    query.limit = wanted;
    auto page = view.list(query);
    if (!page)
      return page.error();
    wanted -= page->rows.size();
    std::ranges::move(page->rows, std::back_inserter(to));
    if (!page->next)
      return {};
    query.before = page->next;
  }
  return {};
}

} // namespace

result<std::vector<storage::job_row>>
list_jobs(std::span<const std::shared_ptr<storage::view>> views, const storage::job_query& query) {
  std::vector<storage::job_row> all;
  for (auto& view : views)
    if (auto listed = list_shard(*view, query, all); !listed)
      return listed.error();
  std::ranges::sort(all, std::greater{}, &storage::job_row::id);
  if (all.size() > query.limit)
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(query.limit), all.end());
  return all;
}

result<std::vector<storage::job_row>>
list_jobs(std::span<const std::shared_ptr<storage::view>> views, const job_filter& filter) {
  storage::job_query query;
  query.state = filter.state;
  query.queue = filter.queue;
  query.unfinished = filter.unfinished;
  query.limit = filter.limit;
  return list_jobs(views, query);
}

} // namespace troupe::actors
