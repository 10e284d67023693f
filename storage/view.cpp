#include "storage/view.hpp"

#include <cassert>

namespace troupe::storage {

namespace {

constexpr std::size_t replay_step = 256; // Records that are decoded at once.

} // namespace

void view::add(core::bytes records) {
  auto shared = std::make_shared<const core::bytes>(std::move(records));
  std::scoped_lock lock{mutex_};
  batches_.push_back(std::move(shared));
}

/// Brings the index up to the newest batch. Call it with the lock held.
void view::index() {
  for (; indexed_ < batches_.size(); ++indexed_) {
    auto places = core::places_in(*batches_[indexed_], false);
    assert(places); // Its checksums were checked when it was read, or it was made here.
    for (auto& at : *places)
      index(static_cast<std::uint32_t>(indexed_), at);
  }
}

void view::index(std::uint32_t batch, const core::record_place& at) {
  place where{batch, at.begin, at.end};
  if (at.job == job_id{}) {
    shard_records_.push_back(where);
    return;
  }
  auto& [row, records] = jobs_[at.job];
  records.push_back(where);
  if (at.type == core::job_added::type.number) {
    auto r = decode(where);
    row = {r.job,
           r.ns,
           core::job_state::pending,
           std::get<core::job_added>(std::move(r.body)),
           r.at,
           {},
           {},
           {}};
  } else if (at.type == core::job_moved::type.number) {
    auto r = decode(where);
    auto& moved = std::get<core::job_moved>(r.body);
    row.state = moved.to;
    if (moved.to == core::job_state::running && row.started == core::shard_time{})
      row.started = r.at;
    if (terminal(moved.to))
      row.ended = r.at;
    row.error = std::move(moved.error);
  }
}

core::record view::decode(const place& at) const {
  core::byte_view all{*batches_[at.batch]};
  auto records = core::decode(all.subspan(at.begin, at.end - at.begin));
  assert(records && records->size() == 1);
  return std::move(records->front());
}

std::optional<job_row> view::find(job_id id) {
  std::scoped_lock lock{mutex_};
  index();
  auto found = jobs_.find(id);
  if (found == jobs_.end())
    return {};
  return found->second.row;
}

std::vector<job_row> view::list(const std::function<bool(const job_row&)>& keep,
                                std::size_t limit) {
  std::scoped_lock lock{mutex_};
  index();
  std::vector<job_row> rows;
  for (auto at = jobs_.rbegin(); at != jobs_.rend() && rows.size() < limit; ++at)
    if (keep(at->second.row))
      rows.push_back(at->second.row);
  return rows;
}

/// At most `replay_step` of the job's records, from number `from` on.
result<std::vector<core::record>> view::records_of(job_id id, std::size_t from) {
  std::scoped_lock lock{mutex_};
  index();
  auto found = jobs_.find(id);
  if (found == jobs_.end())
    return error{ec::no_such_job, "no job " + to_string(id) + " is recorded here"};
  std::vector<core::record> records;
  auto& all = found->second.records;
  for (auto i = from; i < all.size() && records.size() < replay_step; ++i)
    records.push_back(decode(all[i]));
  return records;
}

status view::replay(job_id id, const graph_source& graphs, replay_state& from, const step& each) {
  for (;;) {
    auto records = records_of(id, from.next);
    if (!records)
      return records.error();
    if (records->empty())
      return {};
    for (auto& r : *records) {
      core::changes seen;
      if (!from.job) {
        from.job = core::job_of(r);
        from.job->plan = graphs(r.ns, from.job->spec.graph);
        if (!from.job->plan)
          return error{ec::no_such_graph, "the graph " + to_string(from.job->spec.graph)
                                              + " of job " + to_string(id)
                                              + " is not in the store"};
      } else {
        core::apply(*from.job, r, seen);
      }
      ++from.next;
      if (!each(*from.job, r, seen))
        return {};
    }
  }
}

result<core::job> view::load(job_id id, const graph_source& graphs) {
  replay_state all;
  auto done = replay(id, graphs, all, [](auto&, auto&, auto&) { return true; });
  if (!done)
    return done.error();
  return std::move(*all.job);
}

void view::each_shard_record(const std::function<void(const core::record&)>& each) {
  std::scoped_lock lock{mutex_};
  index();
  for (auto& at : shard_records_)
    each(decode(at));
}

} // namespace troupe::storage
