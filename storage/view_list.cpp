#include "storage/list_plan.hpp"
#include "storage/view_reading.hpp"
#include "troupe/limits.hpp"

#include <algorithm>

namespace troupe::storage {

status view::merged_walk::start(std::optional<job_id> after) {
  auto& all = in_->behind().jobs();
  next_ = after ? all.upper_bound(*after) : all.begin();
  end_ = all.end();
  newest_next_ = jobs::const_reverse_iterator{after ? all.lower_bound(*after) : all.end()};
  newest_end_ = all.rend();
  for (auto& walk : walks_)
    if (auto started = walk.start(after); !started)
      return started;
  return {};
}

/// The next job behind the snapshot.
std::optional<job_id> view::merged_walk::overlay_id() {
  auto pass = [this](auto& at, auto end) -> std::optional<job_id> {
    while (at != end && !overlay::has_beyond(at->second, in_->k()))
      ++at;
    return at == end ? std::optional<job_id>{} : at->first;
  };
  return newest_first_ ? pass(newest_next_, newest_end_) : pass(next_, end_);
}

void view::merged_walk::step_overlay() {
  if (newest_first_)
    ++newest_next_;
  else
    ++next_;
}

/// Leaves the current job in every index.
status view::merged_walk::step_tables() {
  for (auto& walk : walks_)
    if (current_ && walk.id() == current_)
      if (auto stepped = walk.step(); !stepped)
        return stepped;
  return {};
}

result<std::optional<job_id>> view::merged_walk::next() {
  if (auto stepped = step_tables(); !stepped)
    return stepped.error();
  current_ = overlay_id();
  auto behind = current_;
  for (auto& walk : walks_)
    if (walk.id() && (!current_ || earlier(*walk.id(), *current_)))
      current_ = walk.id();
  if (behind && behind == current_)
    step_overlay();
  return current_;
}

result<std::optional<job_row>> view::merged_walk::row() const {
  result<std::optional<job_row>> found = std::optional<job_row>{};
  auto here = std::ranges::find(walks_, current_, &job_walk::id);
  auto is_row = here != walks_.end() && (here->of() == table::live || here->of() == table::done);
  if (is_row && !in_->part(*current_) && !here->value().empty()) {
    auto row = decode_job_row(*current_, here->value());
    if (!row)
      return row.error();
    found = std::optional{std::move(*row)};
  } else {
    found = in_->newest(*current_);
  }
  if (found && *found && !(*found)->there())
    found = std::optional<job_row>{};
  return found;
}

namespace {

bool matches(const job_row& x, const job_query& q) {
  auto labelled = [&](auto& label) {
    auto found = x.spec.labels.find(label.first);
    return found != x.spec.labels.end() && found->second == label.second;
  };
  return (!q.ns || x.ns == *q.ns) && (!q.state || x.state == *q.state)
         && (!q.unfinished || !terminal(x.state)) && (!q.queue || x.spec.queue == *q.queue)
         && (!q.ended_before || (terminal(x.state) && x.ended < *q.ended_before))
         && std::ranges::all_of(q.labels, labelled) && (!q.matching || q.matching(x));
}

} // namespace

result<job_page> view::list(const job_query& q) {
  auto in = begin();
  if (!in)
    return in.error();
  merged_walk walk{*in, true, static_cast<bool>(q.damaged)};
  auto plan = plan_list(in->snapshot(), q);
  if (!plan)
    return plan.error();
  for (auto& x : *plan)
    walk.add(x.index, std::move(x.prefix));
  job_page page;
  auto limit = std::min(q.limit, limits::rows_page_max);
  if (auto started = walk.start(q.before); !started)
    return started.error();
  for (std::size_t scanned = 1;; ++scanned) {
    auto id = walk.next();
    if (!id)
      return id.error();
    if (!*id || (q.from && **id < *q.from))
      return page;
    auto row = walk.row();
    if (!row && !(q.damaged && row.code() == ec::journal_corrupt))
      return row.error();
    if (!row)
      q.damaged(**id, row.error());
    else if (*row && matches(**row, q))
      page.rows.push_back(std::move(**row));
    page.scan_limited = scanned >= q.scan_max || in->is_over(scanned);
    if (page.rows.size() >= limit || page.scan_limited) {
      page.next = **id;
      return page;
    }
  }
}

result<std::vector<job_row>> view::live(std::optional<job_id> after, std::size_t limit) {
  auto in = begin();
  if (!in)
    return in.error();
  merged_walk walk{*in, false};
  walk.add(table::live, keys::shard(shard_));
  std::vector<job_row> rows;
  if (auto started = walk.start(after); !started)
    return started.error();
  while (rows.size() < limit) {
    auto id = walk.next();
    if (!id)
      return id.error();
    if (!*id)
      break;
    auto row = walk.row();
    if (!row)
      return row.error();
    if (*row && !terminal((*row)->state))
      rows.push_back(std::move(**row));
  }
  return rows;
}

} // namespace troupe::storage
