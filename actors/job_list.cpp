#include "actors/job_list.hpp"

#include "troupe/limits.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::actors {

namespace {

/// Rows to ask of each shard for a page of `limit`: its share if jobs lie evenly, and three
/// standard deviations more, so that one question to each is nearly always enough.
std::size_t share_of(std::size_t limit, std::size_t shards) {
  auto even = static_cast<double>(limit) / static_cast<double>(std::max<std::size_t>(shards, 1));
  auto most = static_cast<std::size_t>(std::ceil(even + 3 * std::sqrt(even)));
  return shards > 1 ? std::min(limit, most) : limit;
}

/// A page of all shards that grows: each shard has shown its rows down to where it goes on.
class merged_page {
public:
  merged_page(shard_views views, storage::job_query query)
      : views_(views),
        query_(std::move(query)),
        limit_(query_.limit),
        goes_on_(views.size(), query_.before) {
    query_.limit = share_of(limit_, views.size());
  }

  /// Asks each shard, and then again the one that keeps rows of the others from being shown.
  result<storage::job_page> read() {
    for (std::size_t i = 0; i < views_.size(); ++i)
      if (auto asked = ask(i); !asked)
        return asked.error();
    for (;;) {
      auto behind = std::ranges::max_element(goes_on_);
      all_.next = behind == goes_on_.end() ? std::nullopt : *behind;
      if (!all_.next || all_.scan_limited || shown() >= limit_)
        break;
      if (auto asked = ask(static_cast<std::size_t>(behind - goes_on_.begin())); !asked)
        return asked.error();
    }
    cut();
    return std::move(all_);
  }

private:
  status ask(std::size_t shard) {
    query_.before = goes_on_[shard];
    auto page = views_[shard]->list(query_);
    if (!page)
      return page.error();
    goes_on_[shard] = page->next;
    all_.scan_limited |= page->scan_limited;
    std::ranges::move(page->rows, std::back_inserter(all_.rows));
    return {};
  }

  /// Whether no shard can have a row before this one that it has not shown.
  bool is_shown(const storage::job_row& x) const { return !all_.next || x.id >= *all_.next; }

  std::size_t shown() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(all_.rows, [this](auto& x) { return is_shown(x); }));
  }

  /// Leaves out what cannot be shown yet and the rows above the limit. The page goes on from there.
  void cut() {
    std::erase_if(all_.rows, [this](auto& x) { return !is_shown(x); });
    std::ranges::sort(all_.rows, std::greater{}, &storage::job_row::id);
    if (all_.rows.size() <= limit_)
      return;
    all_.rows.erase(all_.rows.begin() + static_cast<std::ptrdiff_t>(limit_), all_.rows.end());
    all_.next = all_.rows.back().id;
  }

  shard_views views_;
  storage::job_query query_;
  std::size_t limit_;
  std::vector<std::optional<job_id>> goes_on_; ///< Of each shard; none: it has no more.
  storage::job_page all_;
};

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
  return merged_page{views, query}.read();
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
