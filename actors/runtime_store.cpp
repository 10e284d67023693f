#include "actors/job_book.hpp"
#include "actors/job_list.hpp"
#include "actors/runtime_impl.hpp"
#include "actors/spec_check.hpp"

#include <algorithm>

/// The part of `runtime` that looks at the whole store: lists, deletions, rows.
namespace troupe {

namespace {

namespace msg = messages;

/// The ended jobs of one shard that a filter shows, some at a time.
class purge_walk {
public:
  purge_walk(storage::view& view, const job_filter& filter)
      : view_(view), query_(actors::query_of(filter)) {
    query_.limit = limits::retention_step_jobs;
  }

  /// The next ones, maybe none. Call it until `done`.
  result<std::vector<job_id>> next() {
    auto page = view_.list(query_);
    if (!page)
      return page.error();
    std::vector<job_id> found;
    for (auto& row : page->rows)
      if (terminal(row.state))
        found.push_back(row.id);
    done_ = !page->next;
    query_.before = page->next;
    return found;
  }
  bool done() const noexcept { return done_; }

private:
  storage::view& view_;
  storage::job_query query_;
  bool done_ = false;
};

std::vector<job_info> infos_of(const std::vector<storage::job_row>& rows) {
  std::vector<job_info> all;
  std::ranges::transform(rows, std::back_inserter(all),
                         [](auto& row) { return actors::info_of(row); });
  return all;
}

constexpr job_state ended_states[]{job_state::completed, job_state::failed, job_state::cancelled,
                                   job_state::stopped};

} // namespace

result<job_list> runtime::list_page(const job_filter& filter) {
  return impl_->engine->while_open([&]() -> result<job_list> {
    auto page = actors::list_page(impl_->views(), actors::query_of(filter));
    if (!page)
      return page.error();
    return job_list{infos_of(page->rows), page->next};
  });
}

result<std::vector<job_info>> runtime::list(const job_filter& filter) {
  return impl_->engine->while_open([&]() -> result<std::vector<job_info>> {
    auto rows = actors::list_jobs(impl_->views(), actors::query_of(filter), filter.limit);
    if (!rows)
      return rows.error();
    return infos_of(*rows);
  });
}

result<std::vector<queue_total>> runtime::totals() {
  auto& engine = *impl_->engine;
  return engine.while_open([&]() -> result<std::vector<queue_total>> {
    std::map<storage::count_key, storage::job_count> sums;
    for (auto& shard : engine.contexts()) {
      auto of_shard = shard->view->totals();
      if (!of_shard)
        return of_shard.error();
      for (auto& [key, count] : *of_shard) {
        auto& sum = sums[{key.in, key.state}];
        sum.jobs += count.jobs;
        sum.bytes += count.bytes;
      }
    }
    std::vector<queue_total> all;
    for (auto& [key, sum] : sums)
      all.push_back({key.in.ns, key.in.queue, key.state, sum.jobs, sum.bytes});
    return all;
  });
}

result<store_stats> runtime::stats() {
  auto& engine = *impl_->engine;
  return engine.while_open([&]() -> result<store_stats> { return engine.stats(); });
}

result<std::size_t> runtime::impl::delete_jobs(core::shard_id shard, std::vector<job_id> jobs,
                                               const char* reason, bool strict) {
  return answer_of<result<std::size_t>>([&](auto done) {
    return engine->send(shard, msg::delete_jobs{jobs, reason, strict, std::move(done)});
  });
}

status runtime::remove(job_id id) {
  auto shard = core::shard_of(slot_of(id), impl_->engine->shards());
  auto removed = impl_->delete_jobs(shard, {id}, "removed", true);
  return removed ? status{} : status{removed.error()};
}

result<std::size_t> runtime::impl::purge(actors::shard_context& shard, const job_filter& filter,
                                         bool dry_run) {
  std::size_t total = 0;
  for (purge_walk walk{*shard.view, filter}; !walk.done();) {
    auto jobs = engine->while_open([&] { return walk.next(); });
    if (!jobs)
      return jobs.error();
    if (dry_run || jobs->empty()) {
      total += jobs->size();
      continue;
    }
    auto deleted = delete_jobs(shard.id, std::move(*jobs), "purge", false);
    if (!deleted)
      return deleted.error();
    total += *deleted;
  }
  return total;
}

result<std::size_t> runtime::purge(const job_filter& filter, bool dry_run) {
  if (filter.unfinished || (filter.state && !terminal(*filter.state)))
    return error{ec::invalid_spec, "only jobs that have ended can be purged"};
  std::size_t total = 0;
  for (auto& shard : impl_->engine->contexts())
    for (auto state : ended_states) {
      if (filter.state && *filter.state != state)
        continue;
      auto one = filter;
      one.state = state;
      auto purged = impl_->purge(*shard, one, dry_run);
      if (!purged)
        return purged.error();
      total += *purged;
    }
  return total;
}

result<std::vector<submitted>> runtime::transact(const transaction& x) {
  auto request = impl_->engine->while_open([&] { return actors::checked(x, *impl_->engine); });
  if (!request)
    return request.error();
  return answer_of<result<std::vector<submitted>>>([&](auto done) {
    request->done = std::move(done);
    return impl_->engine->send(impl_->home_of(x.ns, x.queue), std::move(*request));
  });
}

result<std::optional<std::vector<std::uint8_t>>>
runtime::row(const std::string& queue, const std::string& key, namespace_id ns) {
  return impl_->engine->while_open([&] {
    return impl_->view_of(ns, queue).row({{ns, queue}, key});
  });
}

result<std::vector<queue_row>> runtime::rows(const std::string& queue, const std::string& prefix,
                                             const std::string& after, std::size_t limit,
                                             namespace_id ns) {
  auto found = impl_->engine->while_open([&] {
    return impl_->view_of(ns, queue).rows({ns, queue}, prefix, after, limit);
  });
  if (!found)
    return found.error();
  std::vector<queue_row> rows;
  for (auto& x : *found)
    rows.push_back({std::move(x.key), std::move(x.content)});
  return rows;
}

} // namespace troupe
