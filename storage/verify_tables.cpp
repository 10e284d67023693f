#include "storage/verify_tables.hpp"

#include "core/wire.hpp"
#include "storage/table_row.hpp"
#include "storage/verify_walk.hpp"

namespace troupe::storage {

namespace {

constexpr std::uint64_t progress_every = 1024; ///< Jobs.

/// The number that the key of a chunk ends with.
std::uint64_t first_of(core::byte_view chunk_key) {
  std::uint64_t first = 0;
  core::reader{chunk_key.last(sizeof first)}(first);
  return first;
}

/// Walks the jobs and their records of one shard side by side, in the order of ids.
class shard_check {
public:
  shard_check(table_store& from, core::shard_id shard, const job_surroundings& around,
              const tables_check_options& options, tables_summary& sum, finding_list& to)
      : shard_(shard),
        around_(around),
        options_(options),
        sum_(sum),
        to_(to),
        from_(from),
        now_(from, shard, options.slice),
        live_(table::live, shard),
        done_(table::done, shard),
        chunks_(table::chunks, shard) {}

  status run() {
    if (auto walked = walk_jobs(); !walked)
      return walked;
    auto one_moment = now_.taken() == 1;
    sum_.counted = sum_.counted && one_moment;
    if (one_moment)
      if (auto compared = compare_counts(now_.read(), sums_, to_); !compared)
        return compared;
    if (auto checked = check_links(now_.read(), to_); !checked)
      return checked;
    if (auto checked = check_graphs(now_.read(), around_, to_); !checked)
      return checked;
    for (auto in : {table::by_state, table::by_queue, table::by_label, table::by_end})
      if (auto walked = walk_entries(in); !walked)
        return walked;
    return walk_requests();
  }

private:
  bool online() const noexcept { return options_.slice != moment::clock::duration{}; }

  status walk_jobs() {
    core::bytes from = keys::shard(shard_);
    for (;;) {
      let_go();
      if (auto taken = now_.take(true); !taken)
        return taken.error();
      auto meta = now_.read().meta();
      if (!meta)
        return meta.error();
      time_ = meta->time;
      for (auto cursor : {&live_, &done_, &chunks_})
        if (auto placed = cursor->seek(now_.tables(), from); !placed)
          return placed;
      auto more = walk_slice(from);
      if (!more)
        return more.error();
      if (!*more)
        return {};
    }
  }

  /// Checks jobs until the moment has lasted for long enough; false at the end. `next` becomes
  /// where to go on.
  result<bool> walk_slice(core::bytes& next) {
    auto begun = moment::clock::now();
    while (live_.there() || done_.there() || chunks_.there()) {
      auto id = least();
      if (auto checked = check(id); !checked)
        return checked.error();
      if (options_.progress && sum_.jobs % progress_every == 0)
        options_.progress(sum_);
      if (online() && moment::clock::now() - begun >= options_.slice) {
        next = keys::job(shard_, id);
        next.resize(next.size() + sizeof(std::uint64_t), 0xff);
        next.push_back(0); // Above all chunks of this job.
        return true;
      }
    }
    return false;
  }

  job_id least() const {
    std::optional<job_id> id;
    for (auto cursor : {&live_, &done_, &chunks_})
      if (cursor->there() && (!id || cursor->id() < *id))
        id = cursor->id();
    return *id;
  }

  status check(job_id id) {
    bool live = live_.there() && live_.id() == id, done = done_.there() && done_.id() == id;
    if (!live && !done)
      return check_ownerless(id);
    if (live && done)
      to_.add(finding_kind::row_misplaced, row_text(table::live, live_.key()),
              "it is in the table `done`, too", id);
    finding_list found;
    if (auto checked = check_row(live ? live_ : done_, id, found); !checked)
      return checked;
    if (auto told = tell(id, std::move(found)); !told)
      return told;
    for (auto cursor : {live ? &live_ : nullptr, done ? &done_ : nullptr})
      if (cursor)
        if (auto stepped = cursor->next(); !stepped)
          return stepped;
    return {};
  }

  status check_row(const part_cursor& at, job_id id, finding_list& found) {
    ++sum_.jobs;
    sum_.bytes += at.key().size() + at.value().size();
    job_check job{shard_, at.of(), id, at.value(), around_, found};
    for (; chunks_.there() && chunks_.id() == id;) {
      sum_.bytes += chunks_.key().size() + chunks_.value().size();
      job.take(first_of(chunks_.key()), chunks_.value());
      if (auto stepped = chunks_.next(); !stepped)
        return stepped;
    }
    job.end();
    sum_.records += job.records();
    if (!job.row())
      return {};
    sums_.add(shard_, *job.row());
    if (auto checked = check_request(now_.read(), *job.row(), time_, found); !checked)
      return checked;
    return online() ? check_entries(now_.read(), *job.row(), found) : status{};
  }

  /// Beside an owner a job may be deleted, and its values with it, while it is looked at.
  status tell(job_id id, finding_list&& found) {
    if (found.empty() || !online()) {
      to_.take(std::move(found));
      return {};
    }
    moment fresh{from_, shard_, options_.slice};
    if (auto taken = fresh.take(); !taken)
      return taken.error();
    finding_list again;
    tables_summary ignored;
    for (auto in : {table::live, table::done})
      if (auto checked = check_one_job(fresh.read(), in, id, around_, ignored, again); !checked)
        return checked;
    to_.take(std::move(again));
    return {};
  }

  status check_ownerless(job_id id) {
    to_.add(finding_kind::records_ownerless, row_text(table::chunks, chunks_.key()),
            "there are records, but no row of their job", id);
    while (chunks_.there() && chunks_.id() == id)
      if (auto stepped = chunks_.next(); !stepped)
        return stepped;
    return {};
  }

  /// Looks every entry up if that is needed: where there is one moment for all, sums say first
  /// whether anything can be wrong.
  status walk_entries(table in) {
    if (!online()) {
      table_totals there;
      auto counted = walk(in, [&](const part_cursor& at) -> status {
        add_row(there, in, at.key(), at.value());
        return {};
      });
      if (!counted || there == sums_.entries[number_of(in)])
        return counted;
      if (auto missing = find_missing(in); !missing)
        return missing;
    }
    return walk(in, [&](const part_cursor& at) {
      return check_entry(now_.read(), in, at.key(), at.value(), to_);
    });
  }

  status find_missing(table in) {
    for (auto rows : {table::live, table::done}) {
      auto walked = walk(rows, [&](const part_cursor& at) -> status {
        auto row = decode_job_row(at.id(), at.value());
        if (!row)
          return {};
        finding_list found;
        auto checked = check_entries(now_.read(), *row, found);
        for (auto& x : found.kept())
          if (x.where.starts_with(row_text(in, {})))
            to_.add(x);
        return checked;
      });
      if (!walked)
        return walked;
    }
    return {};
  }

  status walk_requests() {
    return walk(table::idempotency, [&](const part_cursor& at) {
      return check_request_row(now_.read(), at.key(), at.value(), to_);
    });
  }

  status walk(table in, const std::function<status(const part_cursor&)>& each) {
    let_go();
    part_cursor at{in, shard_};
    auto place = at.prefix();
    for (bool first = true;; first = false) {
      auto anew = now_.take();
      if (!anew)
        return anew.error();
      if (*anew || first)
        if (auto placed = at.seek(now_.tables(), place); !placed)
          return placed;
      if (!at.there())
        return {};
      if (auto seen = each(at); !seen)
        return seen;
      place.assign(at.key().begin(), at.key().end());
      place.push_back(0); // The least key above it.
      if (auto stepped = at.next(); !stepped)
        return stepped;
    }
  }

  void let_go() {
    for (auto cursor : {&live_, &done_, &chunks_})
      cursor->let_go();
  }

  core::shard_id shard_;
  const job_surroundings& around_;
  const tables_check_options& options_;
  tables_summary& sum_;
  finding_list& to_;
  table_store& from_;
  moment now_;
  part_cursor live_, done_, chunks_;
  core::shard_time time_{};
  index_sums sums_;
};

} // namespace

status check_tables(table_store& from, core::shard_id shard, const job_surroundings& around,
                    const tables_check_options& options, tables_summary& sum, finding_list& to) {
  return shard_check{from, shard, around, options, sum, to}.run();
}

status check_one_job(const snapshot_read& from, table in, job_id id, const job_surroundings& around,
                     tables_summary& sum, finding_list& to) {
  auto row = from.tables().get(in, keys::job(from.shard(), id));
  if (!row || !*row)
    return row ? status{} : status{row.error()};
  ++sum.jobs;
  sum.bytes += (*row)->size();
  job_check job{from.shard(), in, id, **row, around, to};
  auto prefix = keys::job(from.shard(), id);
  auto walked = each_row(from.tables(), table::chunks, prefix, prefix,
                         [&](core::byte_view key, core::byte_view value) -> result<bool> {
                           sum.bytes += value.size();
                           job.take(first_of(key), value);
                           return true;
                         });
  if (!walked)
    return walked;
  job.end();
  sum.records += job.records();
  if (!job.row())
    return {};
  auto meta = from.meta();
  if (!meta)
    return meta.error();
  auto checked = check_request(from, *job.row(), meta->time, to);
  return checked ? check_entries(from, *job.row(), to) : checked;
}

} // namespace troupe::storage
