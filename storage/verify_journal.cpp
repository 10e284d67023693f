#include "storage/verify_journal.hpp"

#include "core/crc32c.hpp"
#include "storage/data_pin.hpp"
#include "storage/file_journal.hpp"
#include "storage/overlay.hpp"
#include "storage/snapshot_read.hpp"
#include "storage/verify_index.hpp"

#include <set>

namespace troupe::storage {

namespace {

/// What the applied batches say of one job, without holding its records.
struct applied_job {
  std::uint64_t records = 0;
  std::uint32_t crc = 0; ///< Over all of them.
  bool deleted = false;
};

/// Compares the batches of one shard with its tables at one moment.
class shard_comparison {
public:
  shard_comparison(const data_dir& directory, const snapshot_read* tables, shard_meta meta,
                   core::shard_id shard, const job_surroundings& around, journal_summary& sum,
                   finding_list& to)
      : tables_(tables), meta_(meta), shard_(shard), around_(around), sum_(sum), to_(to) {
    where_ = directory.journal_path().string() + ", shard " + std::to_string(index_of(shard));
  }

  status take(const batch& x) {
    ++sum_.batches;
    sum_.bytes += x.records.size();
    auto places = core::places_in(x.records, true);
    if (!places) {
      tell(finding_kind::journal_damaged, batch_text(x) + places.error().detail);
      return {};
    }
    sum_.records += places->size();
    if (x.at <= meta_.applied)
      for (auto& at : *places)
        take_applied(core::byte_view{x.records}.subspan(at.begin, at.end - at.begin), at, x);
    else if (auto added =
                 tail_.add({x.epoch, x.at, x.time, std::make_shared<const core::bytes>(x.records)});
             !added)
      tell(finding_kind::journal_damaged, batch_text(x) + added.error().detail);
    return {};
  }

  status end() {
    for (auto& [id, x] : jobs_)
      if (auto compared = compare(id, x); !compared)
        return compared;
    for (auto& [name, crc] : rows_)
      if (auto compared = compare(name, crc); !compared)
        return compared;
    for (auto& [id, part] : tail_.jobs())
      if (auto checked = check_tail(id, part); !checked)
        return checked;
    return {};
  }

private:
  static std::string batch_text(const batch& x) { return "batch " + std::to_string(x.at) + ": "; }
  void tell(finding_kind kind, std::string what, job_id job = {}) {
    to_.add(kind, where_, std::move(what), job);
  }

  void take_applied(core::byte_view encoded, const core::record_place& at, const batch& in) {
    if (at.job != job_id{}) {
      auto& job = jobs_[at.job];
      ++job.records;
      job.crc = core::crc32c(encoded, job.crc);
      job.deleted = job.deleted || at.type == core::job_deleted::type.number;
    }
    if (at.type != core::row_written::type.number && at.type != core::row_erased::type.number)
      return;
    auto decoded = core::decode(encoded, [&](core::record&& r) -> status {
      if (auto x = std::get_if<core::row_written>(&r.body))
        rows_[{{r.ns, x->queue}, x->key}] = core::crc32c(x->content);
      else if (auto y = std::get_if<core::row_erased>(&r.body))
        rows_[{{r.ns, y->queue}, y->key}] = std::nullopt;
      return {};
    });
    if (!decoded)
      tell(finding_kind::journal_damaged, batch_text(in) + decoded.error().detail);
  }

  status compare(job_id id, const applied_job& x) {
    ++sum_.compared;
    auto row = tables_->row(id);
    if (!row)
      return row.error();
    if (!*row && !x.deleted)
      tell(finding_kind::journal_differs, "the job's records were taken in, but it has no row", id);
    if (*row && x.deleted)
      tell(finding_kind::journal_differs, "the job was deleted, but it has a row", id);
    if (!*row || x.deleted)
      return {};
    if ((*row)->records < x.records) {
      tell(finding_kind::journal_differs,
           "the job has " + std::to_string(x.records) + " records in the journal, "
               + std::to_string((*row)->records) + " in the snapshot",
           id);
      return {};
    }
    std::uint32_t crc = 0;
    auto read = tables_->records(id, (*row)->records - x.records, [&](core::byte_view r) {
      crc = core::crc32c(r, crc);
      return true;
    });
    if (read && crc != x.crc)
      tell(finding_kind::journal_differs, "the job's last records are others than those here", id);
    return read;
  }

  status compare(const keys::name_in& name, std::optional<std::uint32_t> crc) {
    auto row = tables_->own_row(name);
    if (!row)
      return row.error();
    auto there = *row ? std::optional{core::crc32c(**row)} : std::nullopt;
    if (there != crc)
      to_.add(finding_kind::journal_differs, row_text(table::rows, keys::row(shard_, name)),
              "it is not as the journal wrote it last");
    return {};
  }

  /// What is not in the tables yet must fit what is.
  status check_tail(job_id id, const overlay::part& part) {
    core::bytes records;
    job_row row = part.row;
    if (!part.whole)
      if (auto loaded = load(id, row, records); !loaded)
        return loaded;
    if (row.records == 0 && !part.whole) {
      tell(finding_kind::journal_differs, "there are records of a job that was never added", id);
      return {};
    }
    if (auto folded = part.whole ? status{} : tail_.fold_beyond(part, 0, row); !folded) {
      tell(finding_kind::journal_damaged, folded.error().detail, id);
      return {};
    }
    for (auto& at : part.places) {
      auto record = tail_.bytes_at(at);
      records.insert(records.end(), record.begin(), record.end());
    }
    if (row.deleted)
      return {};
    auto in = terminal(row.state) ? table::done : table::live;
    job_check check{shard_, in, id, encode(row), around_, to_};
    check.take(0, records);
    check.end();
    if (graphs_.emplace(row.ns, row.spec.graph).second)
      check_graph(row.ns, row.spec.graph, where_ + ", job " + to_string(id), around_, to_);
    return {};
  }

  status load(job_id id, job_row& row, core::bytes& records) const {
    if (!tables_)
      return {};
    auto found = tables_->row(id);
    if (!found)
      return found.error();
    if (!*found)
      return {};
    row = std::move(**found);
    return tables_->records(id, 0, [&](core::byte_view r) {
      records.insert(records.end(), r.begin(), r.end());
      return true;
    });
  }

  const snapshot_read* tables_;
  shard_meta meta_;
  core::shard_id shard_;
  const job_surroundings& around_;
  journal_summary& sum_;
  finding_list& to_;
  std::string where_;
  std::map<job_id, applied_job> jobs_;
  std::map<keys::name_in, std::optional<std::uint32_t>> rows_; ///< CRC; nothing if erased.
  overlay tail_;
  std::set<std::pair<namespace_id, graph_id>> graphs_; ///< Of the tail, looked at.
};

/// One shard: its tables and its batches as they are now.
status check_shard(const data_dir& directory, table_store* tables, journal_reader& journal,
                   core::shard_id shard, const job_surroundings& around, journal_summary& sum,
                   finding_list& to) {
  std::unique_ptr<table_reader> reader;
  std::optional<snapshot_read> rows;
  shard_meta meta;
  if (tables) {
    auto begun = tables->read();
    if (!begun)
      return begun.error();
    reader = std::move(*begun);
    rows.emplace(*reader, shard);
    auto found = rows->meta();
    if (!found)
      return found.error();
    meta = *found;
  }
  shard_comparison comparison{directory, rows ? &*rows : nullptr, meta, shard, around, sum, to};
  auto trimmed = journal.trimmed();
  auto read =
      journal.read(shard, trimmed[shard] + 1, [&](const batch& x) { return comparison.take(x); });
  if (read.code() == ec::journal_corrupt) {
    to.add(finding_kind::journal_damaged, directory.journal_path().string(), read.error().detail);
    return {};
  }
  return read ? comparison.end() : read;
}

} // namespace

status check_journal(const data_dir& directory, table_store* tables, const job_surroundings& around,
                     journal_summary& sum, finding_list& to) {
  auto pin = data_pin::take(directory);
  if (!pin)
    return pin.error();
  auto damaged = [&](const error& why) -> status {
    if (why.code != ec::journal_corrupt && why.code != ec::newer_format
        && why.code != ec::wrong_node)
      return why;
    to.add(finding_kind::journal_damaged, directory.journal_path().string(), why.detail);
    return {};
  };
  auto journal = open_journal_reader(directory);
  if (!journal)
    return damaged(journal.error());
  auto newest = tables ? newest_segment(*tables) : 0;
  if (!newest)
    return damaged(newest.error());
  if (auto whole = journal->reach(*newest); !whole)
    if (auto told = damaged(whole.error()); !told)
      return told;
  for (std::uint16_t i = 0; i < directory.about().shards; ++i) {
    if (auto fresh = journal->refresh(); !fresh)
      return damaged(fresh.error());
    auto checked = check_shard(directory, tables, *journal, core::shard_id{i}, around, sum, to);
    if (!checked)
      return damaged(checked.error());
  }
  return {};
}

} // namespace troupe::storage
