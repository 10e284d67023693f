#include "storage/view_reading.hpp"

#include <algorithm>
#include <cassert>

namespace troupe::storage {

namespace {

constexpr std::size_t replay_step = 256; // Records that are decoded at once.

error no_such_job(job_id id) {
  return {ec::no_such_job, "no job " + to_string(id) + " is recorded here"};
}

} // namespace

view::view(core::shard_id shard, std::shared_ptr<table_store> tables, const shard_meta& kept,
           std::shared_ptr<lag_gauge> lag, time_source now)
    : shard_(shard),
      tables_(tables ? std::move(tables) : memory_tables()),
      lag_(std::move(lag)),
      now_(std::move(now)),
      newest_(kept.newest),
      applied_(kept.applied),
      durable_(kept.applied),
      time_(kept.time) {}

void view::add(batch next) {
  auto size = next.records.size();
  auto count = core::count_records(next.records);
  durable_batch kept{next.epoch, next.at, next.time,
                     std::make_shared<const core::bytes>(std::move(next.records)), count};
  {
    std::scoped_lock lock{arrived_mutex_};
    assert(kept.at == durable_ + 1);
    durable_ = kept.at;
    time_ = std::max(time_, kept.time);
    lag_bytes_ += size;
    arrived_.push_back(std::move(kept));
  }
  if (lag_)
    lag_->add(size, count);
}

/// Brings the index up to the newest batch.
status view::index() {
  {
    std::scoped_lock lock{arrived_mutex_};
    if (arrived_.empty())
      return {};
  }
  std::scoped_lock lock{indexed_mutex_};
  return newly_arrived();
}

/// Call it with the first lock held.
status view::newly_arrived() {
  std::deque<durable_batch> fresh;
  {
    std::scoped_lock lock{arrived_mutex_};
    fresh.swap(arrived_);
  }
  for (auto& x : fresh) {
    auto added = indexed_.add(std::move(x));
    if (!added && damage_)
      damage_ = error{added.code(), "shard " + std::to_string(core::index_of(shard_))
                                        + " in memory: " + added.error().detail + "; restart"};
  }
  newest_ = later(newest_, indexed_.newest());
  return {};
}

/// The transaction begins while nothing can be dropped: together they miss no batch.
result<view::reading> view::begin() {
  if (auto done = index(); !done)
    return done.error();
  std::shared_lock lock{indexed_mutex_};
  if (!damage_)
    return damage_.error();
  if (!tables_)
    return error{ec::not_ready, "the runtime is closed"};
  auto tables = tables_->read();
  if (!tables)
    return tables.error();
  auto meta = snapshot_read{**tables, shard_}.meta();
  if (!meta)
    return meta.error();
  return reading{std::move(lock), std::move(*tables), indexed_, *meta, shard_, now_};
}

result<std::optional<job_row>> view::reading::newest(job_id id) const {
  auto x = part(id);
  if (x && x->whole)
    return std::optional{x->row};
  auto row = before(id);
  if (!row || !*row || !x)
    return row;
  if (auto folded = behind_->fold_beyond(*x, k_, **row); !folded)
    return folded.error();
  return row;
}

status
view::reading::each_changed(const std::function<status(job_id, const overlay::part&)>& each) const {
  for (auto& [id, x] : behind_->jobs())
    if (overlay::has_beyond(x, k_))
      if (auto done = each(id, x); !done)
        return done;
  return {};
}

result<job_row> view::find(job_id id) {
  auto in = begin();
  if (!in)
    return in.error();
  auto row = in->newest(id);
  if (!row)
    return row.error();
  if (!*row || !(*row)->there())
    return no_such_job(id);
  return std::move(**row);
}

/// At most `replay_step` of the job's records, from number `from` on.
result<std::vector<core::record>> view::records_of(job_id id, std::size_t from) {
  auto in = begin();
  if (!in)
    return in.error();
  auto part = in->part(id);
  if (part && part->deleted)
    return no_such_job(id);
  auto places = part ? std::span{part->places} : std::span<const overlay::place>{};
  places = places.subspan(static_cast<std::size_t>(
      std::ranges::partition_point(places, [&](auto& x) { return x.batch <= in->k(); })
      - places.begin()));
  std::uint64_t in_tables = 0;
  if (part && part->whole) {
    in_tables = part->row.records - places.size();
  } else {
    auto row = in->before(id);
    if (!row)
      return row.error();
    if (!*row)
      return no_such_job(id);
    in_tables = (*row)->records;
  }
  std::vector<core::record> records;
  std::size_t seen = 0;
  status decoded;
  auto take = [&](core::byte_view one) {
    decoded = core::decode(one, [&](core::record&& r) -> status {
      records.push_back(std::move(r));
      return {};
    });
    return decoded && ++seen < replay_step;
  };
  if (from < in_tables) {
    if (auto read = in->snapshot().records(id, from, take); !read)
      return read.error();
    if (decoded && seen < std::min<std::uint64_t>(replay_step, in_tables - from))
      return error{ec::journal_corrupt, "records of job " + to_string(id)
                                            + " are missing in the snapshot; run `troupe verify`"};
  }
  for (auto at = from + seen; decoded && seen < replay_step && at < in_tables + places.size(); ++at)
    take(in->behind().bytes_at(places[at - in_tables]));
  if (!decoded)
    return decoded.error();
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

void view::forget_pages() {
  std::shared_lock lock{indexed_mutex_};
  if (tables_)
    tables_->forget_pages();
}

void view::close() {
  std::scoped_lock lock{indexed_mutex_};
  tables_.reset();
}

core::position view::durable() const {
  std::scoped_lock lock{arrived_mutex_};
  return durable_;
}

core::position view::applied() const {
  std::scoped_lock lock{arrived_mutex_};
  return applied_;
}

core::shard_time view::time() const {
  std::scoped_lock lock{arrived_mutex_};
  return time_;
}

/// Batches that were dropped before anyone asked count in the tables only.
result<job_id> view::newest_id() {
  auto in = begin();
  if (!in)
    return in.error();
  auto meta = in->snapshot().meta();
  if (!meta)
    return meta.error();
  return later(newest_, meta->newest);
}

std::vector<durable_batch> view::window(std::size_t bytes) {
  std::vector<durable_batch> taken;
  std::size_t size = 0;
  auto take = [&](auto& from) {
    for (auto& x : from) {
      size += x.records->size();
      if (size > bytes && !taken.empty())
        return false;
      taken.push_back(x);
    }
    return true;
  };
  std::shared_lock first{indexed_mutex_};
  std::scoped_lock second{arrived_mutex_};
  (void)(take(indexed_.batches()) && take(arrived_));
  return taken;
}

void view::drop(core::position upto) {
  for (;;) { // One at a time: readers come in between.
    std::scoped_lock lock{indexed_mutex_, arrived_mutex_};
    auto& oldest = indexed_.batches().empty() ? arrived_ : indexed_.batches();
    if (oldest.empty() || oldest.front().at > upto)
      return;
    auto size = oldest.front().records->size();
    auto count = oldest.front().count;
    applied_ = oldest.front().at;
    if (!indexed_.batches().empty())
      indexed_.drop_oldest();
    else
      arrived_.pop_front();
    lag_bytes_ -= size;
    if (lag_)
      lag_->drop(size, count);
  }
}

} // namespace troupe::storage
