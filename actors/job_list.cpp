#include "actors/job_list.hpp"

#include "troupe/limits.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

/// Leaves out what older rows that no shard has shown yet may stand before, and the rows above the
/// limit. The page goes on from there.
void cut(storage::job_page& page, std::size_t limit) {
  std::erase_if(page.rows, [&](auto& x) { return page.next && x.id < *page.next; });
  std::ranges::sort(page.rows, std::greater{}, &storage::job_row::id);
  if (page.rows.size() <= limit)
    return;
  page.rows.erase(page.rows.begin() + static_cast<std::ptrdiff_t>(limit), page.rows.end());
  page.next = page.rows.back().id;
}

} // namespace

storage::job_query query_of(const job_filter& filter) {
  storage::job_query query;
  query.ns = filter.ns;
  query.state = filter.state;
  query.unfinished = filter.unfinished;
  query.queue = filter.queue;
  query.labels = filter.labels;
  query.before = filter.before;
  query.ended_before = filter.ended_before;
  query.limit = std::clamp<std::size_t>(filter.limit, 1, limits::rows_page_max);
  return query;
}

result<storage::job_page> list_page(shard_views views, const storage::job_query& query) {
  storage::job_page all;
  for (auto& view : views) {
    auto page = view->list(query);
    if (!page)
      return page.error();
    if (page->next)
      all.next = std::max(all.next.value_or(job_id{}), *page->next);
    all.scan_limited |= page->scan_limited;
    std::ranges::move(page->rows, std::back_inserter(all.rows));
  }
  cut(all, query.limit);
  return all;
}

result<std::vector<storage::job_row>> list_jobs(shard_views views, storage::job_query query,
                                                std::size_t limit) {
  std::vector<storage::job_row> all;
  while (all.size() < limit) {
    query.limit = std::min(limit - all.size(), limits::rows_page_max);
    auto page = list_page(views, query);
    if (!page)
      return page.error();
    std::ranges::move(page->rows, std::back_inserter(all));
    if (!page->next)
      break;
    query.before = page->next;
  }
  return all;
}

} // namespace troupe::actors
