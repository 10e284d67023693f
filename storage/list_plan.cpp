#include "storage/list_plan.hpp"

#include "storage/snapshot_keys.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <set>

namespace troupe::storage {

namespace {

using core::job_state;
using counts = std::map<count_key, job_count>;

/// A way to find the jobs, and how many rows it looks at if all are wanted.
struct way {
  std::uint64_t cost = 0;
  std::vector<index_walk> walks;
};

bool may_show_open(const job_query& q) { return !q.state || !terminal(*q.state); }
bool may_show_ended(const job_query& q) {
  return !q.unfinished && (!q.state || terminal(*q.state));
}

bool fits(const count_key& x, const job_query& q) {
  return (!q.ns || x.in.ns == *q.ns) && (!q.state || x.state == *q.state)
         && (!q.unfinished || !terminal(x.state)) && (!q.queue || x.in.queue == *q.queue);
}

std::uint64_t jobs_that(const counts& all, const auto& fits) {
  std::uint64_t sum = 0;
  for (auto& [of, count] : all)
    sum += fits(of) ? count.jobs : 0;
  return sum;
}

/// The rows of the jobs themselves.
std::vector<index_walk> rows_of(const job_query& q, core::shard_id shard) {
  std::vector<index_walk> walks;
  if (may_show_open(q))
    walks.push_back({table::live, keys::shard(shard)});
  if (may_show_ended(q))
    walks.push_back({table::done, keys::shard(shard)});
  return walks;
}

/// The ways that there are, the rows of all jobs first.
class ways {
public:
  ways(const counts& all, const job_query& q, core::shard_id shard)
      : all_(all), q_(q), shard_(shard) {
    for (auto& [of, count] : all)
      if (fits(of, q))
        spaces_.insert(of.in.ns);
  }

  way best() const {
    if (spaces_.empty())
      return {};
    auto found = rows();
    if (spaces_.size() > limits::list_namespaces_max)
      return found;
    for (auto& x : {by_state(), by_queue(), by_label()})
      if (!x.walks.empty() && x.cost < found.cost)
        found = x;
    return found;
  }

private:
  static constexpr std::uint64_t index_cost = 2; ///< Each entry leads to a row.

  way rows() const {
    auto open = may_show_open(q_), ended = may_show_ended(q_);
    auto cost = jobs_that(all_, [=](auto& x) { return terminal(x.state) ? ended : open; });
    return {cost, rows_of(q_, shard_)};
  }

  way by_state() const {
    if (!q_.state)
      return {};
    auto cost =
        jobs_that(all_, [&](auto& x) { return spaces_.contains(x.in.ns) && x.state == *q_.state; });
    return of_spaces(cost, table::by_state,
                     [&](auto ns) { return keys::state(shard_, ns, *q_.state); });
  }

  way by_queue() const {
    if (!q_.queue)
      return {};
    auto cost = jobs_that(
        all_, [&](auto& x) { return spaces_.contains(x.in.ns) && x.in.queue == *q_.queue; });
    return of_spaces(cost, table::by_queue, [&](auto ns) {
      return keys::queue(shard_, {ns, *q_.queue});
    });
  }

  /// How many have a label nobody counts: it goes before all that is not a page or two by itself.
  way by_label() const {
    if (q_.labels.empty())
      return {};
    auto& [key, value] = *q_.labels.begin();
    return of_spaces(limits::rows_page_max, table::by_label,
                     [&](auto ns) { return keys::label(shard_, ns, key, value); });
  }

  way of_spaces(std::uint64_t cost, table index, const auto& prefix) const {
    way x{cost * index_cost, {}};
    for (auto ns : spaces_)
      x.walks.push_back({index, prefix(ns)});
    return x;
  }

  const counts& all_;
  const job_query& q_;
  core::shard_id shard_;
  std::set<namespace_id> spaces_; ///< With jobs that fit.
};

/// The counts of the shard; nothing if there are too many to look at each time.
result<std::optional<counts>> few_counts(const snapshot_read& from) {
  std::size_t rows = 0;
  auto prefix = keys::shard(from.shard());
  auto walked = each_row(from.tables(), table::totals, prefix, prefix,
                         [&](core::byte_view, core::byte_view) -> result<bool> {
                           return ++rows <= limits::list_counts_max;
                         });
  if (!walked)
    return walked.error();
  if (rows > limits::list_counts_max)
    return std::optional<counts>{};
  auto all = from.counts();
  return all ? result<std::optional<counts>>{std::move(*all)} : all.error();
}

/// Without counts: what names the least by its nature.
std::vector<index_walk> uncounted(const job_query& q, core::shard_id shard) {
  if (q.ns && !q.labels.empty())
    return {{table::by_label,
             keys::label(shard, *q.ns, q.labels.begin()->first, q.labels.begin()->second)}};
  auto common = q.state == job_state::completed;
  if (q.ns && q.state && !(common && q.queue))
    return {{table::by_state, keys::state(shard, *q.ns, *q.state)}};
  if (q.ns && q.queue && may_show_ended(q))
    return {{table::by_queue, keys::queue(shard, {*q.ns, *q.queue})}};
  return rows_of(q, shard);
}

} // namespace

result<std::vector<index_walk>> plan_list(const snapshot_read& from, const job_query& q) {
  if (!q.state && !q.queue && q.labels.empty())
    return rows_of(q, from.shard());
  auto all = few_counts(from);
  if (!all && q.damaged)
    return rows_of(q, from.shard());
  if (!all)
    return all.error();
  if (!*all)
    return uncounted(q, from.shard());
  return ways{**all, q, from.shard()}.best().walks;
}

} // namespace troupe::storage
