#include "actors/job_blobs.hpp"
#include "actors/job_book.hpp"
#include "actors/job_list.hpp"
#include "actors/job_parts.hpp"
#include "actors/job_search.hpp"
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
  /// `damaged`: told of each job that is left out, as its row is damaged.
  purge_walk(storage::view& view, const job_filter& filter, actors::graph_names& names,
             std::function<void(job_id, const error&)> damaged)
      : view_(view), query_(actors::query_of(filter)) {
    actors::search_for(filter.text, names, query_);
    query_.limit = limits::retention_step_jobs;
    query_.damaged = std::move(damaged);
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

/// Whether its start stands in no record, so that the attempt that succeeded is not counted.
bool is_pure(const actors::environment& env, const core::vertex_shape& x) {
  auto how = actors::make_traits(env, x).how;
  return how == core::execution::inline_pure || how == core::execution::pooled_pure;
}

vertex_info vertex_of(const actors::environment& env, const core::job& x, core::vertex_index v) {
  vertex_info info{x.plan->names[v], x.plan->shape(v).kind, x.run->states[v], 0, {}};
  if (auto found = x.run->details.find(v); found != x.run->details.end()) {
    info.attempts = found->second.attempts;
    info.error = found->second.error;
  }
  if (info.state == vertex_state::succeeded && is_pure(env, x.plan->shape(v)))
    ++info.attempts;
  return info;
}

constexpr job_state ended_states[]{job_state::completed, job_state::failed, job_state::cancelled,
                                   job_state::stopped};

} // namespace

result<job_list> runtime::list_page(const job_filter& filter) {
  return impl_->engine->while_open([&]() -> result<job_list> {
    actors::graph_names names{*impl_->engine->env().graphs};
    auto query = actors::query_of(filter);
    actors::search_for(filter.text, names, query);
    auto page = actors::list_page(impl_->views(), query);
    if (!page)
      return page.error();
    job_list found{infos_of(page->rows), page->next};
    for (auto& x : found.jobs)
      x.graph_name = names.of(x.ns, x.graph);
    return found;
  });
}

result<std::vector<job_info>> runtime::list(const job_filter& filter) {
  return impl_->engine->while_open([&]() -> result<std::vector<job_info>> {
    actors::graph_names names{*impl_->engine->env().graphs};
    auto query = actors::query_of(filter);
    actors::search_for(filter.text, names, query);
    auto rows = actors::list_jobs(impl_->views(), query, filter.limit);
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

void runtime::remove(job_id id, changed then) {
  auto shard = core::shard_of(slot_of(id), impl_->engine->shards());
  impl_->ask<result<std::size_t>>(
      [&](auto done) {
        return impl_->engine->send(shard, msg::delete_jobs{{id}, "removed", true, std::move(done)});
      },
      [then = std::move(then)](const result<std::size_t>& removed) {
        then(removed ? status{} : status{removed.error()});
      });
}

status runtime::remove(job_id id) {
  return answer_of<status>([&](auto done) { return remove(id, std::move(done)), true; });
}

result<std::size_t> runtime::impl::purge(actors::shard_context& shard, const job_filter& filter,
                                         bool dry_run) {
  std::size_t total = 0;
  actors::graph_names names{*engine->env().graphs};
  auto damaged = [&](job_id id, const error& why) {
    if (auto& report = engine->env().report)
      report("purge: job " + to_string(id) + " is left out: " + why.detail);
  };
  for (purge_walk walk{*shard.view, filter, names, damaged}; !walk.done();) {
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

void runtime::transact(const transaction& x, transacted then) {
  auto request = impl_->engine->while_open([&] { return actors::checked(x, *impl_->engine); });
  if (!request)
    return then(impl_->engine->env().refused(x.queue, request.error()));
  impl_->ask<result<std::vector<submitted>>>(
      [&](auto done) {
        request->done = std::move(done);
        return impl_->engine->send(impl_->home_of(x.ns, x.queue), std::move(*request));
      },
      std::move(then));
}

result<std::vector<submitted>> runtime::transact(const transaction& x) {
  return answer_of<result<std::vector<submitted>>>(
      [&](auto done) { return transact(x, std::move(done)), true; });
}

result<job_spec> runtime::spec(job_id id) {
  auto& engine = *impl_->engine;
  return engine.while_open([&]() -> result<job_spec> {
    auto& shard = engine.shard(id);
    auto job = shard.view->load(id, shard.graph_source());
    if (!job)
      return job.error();
    if (auto loaded = actors::load_input(*job, engine.env()); !loaded)
      return loaded.error();
    auto& from = job->spec;
    job_spec spec{job->ns,          from.queue,  from.graph,
                  from.input.get(), from.labels, from.max_parallel};
    if (from.retention > core::duration{})
      spec.retention = from.retention;
    return spec;
  });
}

result<vertex_list> runtime::vertices(job_id id, std::uint32_t from, std::size_t limit) {
  auto& engine = *impl_->engine;
  auto job = engine.while_open(
      [&] { return engine.shard(id).view->load(id, engine.shard(id).graph_source()); });
  if (!job)
    return job.error();
  vertex_list found{job->ns, {}, {}};
  auto count = job->run ? job->plan->size() : 0;
  limit = std::clamp<std::size_t>(limit, 1, limits::rows_page_max);
  for (auto v = from; v < count && found.vertices.size() < limit; ++v)
    found.vertices.push_back(vertex_of(engine.env(), *job, v));
  if (auto next = from + found.vertices.size(); next < count)
    found.next = static_cast<std::uint32_t>(next);
  return found;
}

std::uint64_t runtime::incarnation() const noexcept { return impl_->engine->incarnation(); }

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
