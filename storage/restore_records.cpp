#include "storage/restore_records.hpp"

#include "core/place.hpp"
#include "storage/backup_parts.hpp"
#include "storage/data_pin.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;

/// Both names change places, in one step.
status exchange(const fs::path& a, const fs::path& b) {
  auto done = ::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE);
  return done == 0 ? status{} : status{os_error("exchange", a, -errno)};
}

/// Whether an encoded record fits into a batch.
status check_size(core::byte_view record) {
  if (record.size() <= limits::batch_bytes_max)
    return {};
  return error{ec::too_large, "a record of " + std::to_string(record.size())
                                  + " bytes is beyond the limit of "
                                  + std::to_string(limits::batch_bytes_max)};
}

} // namespace

result<record_writer> record_writer::open(const fs::path& data) {
  auto opened = data_dir::open(data, open_mode::write);
  if (!opened)
    return opened.error();
  auto directory = std::make_shared<data_dir>(std::move(*opened));
  auto tables = open_lmdb_tables(*directory);
  if (!tables)
    return tables.error();
  auto blobs = open_blob_store(*directory);
  if (!blobs)
    return blobs.error();
  record_writer writer{std::move(directory), std::move(*tables), std::move(*blobs)};
  if (auto taken = writer.take_in_journal(); !taken)
    return taken.error();
  return writer;
}

/// The tables then hold all that is durable.
status record_writer::take_in_journal() {
  if (auto applied = apply_journal(*directory_, *tables_, {}); !applied)
    return applied;
  auto reader = tables_->read();
  if (!reader)
    return reader.error();
  for (std::uint16_t i = 0; i < shards(); ++i) {
    auto meta = snapshot_read{**reader, core::shard_id{i}}.meta();
    if (!meta)
      return meta.error();
    parts_.push_back({*meta, {}});
  }
  return {};
}

/// What is added has positions that the journal never saw. All that is in the old one is in the
/// tables, so an empty one takes its place in one step. A backup copies the tables first and reads
/// the journal later: while one holds its pin, this is refused.
status record_writer::begin_journal_anew() {
  if (anew_)
    return {};
  auto gate = removal_gate::open(*directory_);
  if (!gate)
    return gate.error();
  auto done = gate->pass_soon([this] { return exchange_journal(); });
  anew_ = static_cast<bool>(done);
  return done;
}

status record_writer::exchange_journal() {
  if (auto forgotten = forget_journal(*tables_); !forgotten)
    return forgotten;
  auto journal = directory_->journal_path(), fresh = directory_->path() / journal_passing_name;
  std::error_code failed;
  fs::remove_all(fresh, failed);
  if (auto made = make_directories(directory_->files(), fresh); !made)
    return made;
  if (auto exchanged = exchange(fresh, journal); !exchanged)
    return exchanged;
  // Before anything of the old one goes: a power loss must not bring it back without its files.
  if (auto synced = sync_directory(directory_->files(), directory_->path()); !synced)
    return synced;
  fs::remove_all(fresh, failed);
  return {};
}

result<bool> record_writer::has(job_id id) const {
  if (added_.contains(id))
    return true;
  auto reader = tables_->read();
  if (!reader)
    return reader.error();
  auto row = snapshot_read{**reader, core::shard_of(slot_of(id), shards())}.row(id);
  return row ? result<bool>{row->has_value()} : result<bool>{row.error()};
}

result<std::optional<core::bytes>> record_writer::row(const keys::name_in& name) const {
  if (auto added = added_rows_.find(name); added != added_rows_.end())
    return std::optional{added->second};
  auto reader = tables_->read();
  if (!reader)
    return reader.error();
  auto shard = core::shard_of(core::place(name.in.ns, name.in.queue), shards());
  return snapshot_read{**reader, shard}.own_row(name);
}

core::shard_id record_writer::shard_for(const core::record& r) const {
  if (r.job != job_id{})
    return core::shard_of(slot_of(r.job), shards());
  auto& row = std::get<core::row_written>(r.body);
  return core::shard_of(core::place(r.ns, row.queue), shards());
}

status record_writer::add(core::record_group job) {
  assert(!job.empty());
  auto shard = shard_for(job.front());
  std::vector<core::bytes> encoded(job.size());
  for (std::size_t i = 0; i < job.size(); ++i) {
    job[i].shard = shard;
    core::encode(job[i], encoded[i]);
    if (auto fits = check_size(encoded[i]); !fits)
      return fits; // Before any of them is taken.
  }
  for (auto& x : encoded)
    append(shard, x);
  added_.insert(job.front().job);
  return bytes_ >= limits::snapshot_window_bytes ? flush() : status{};
}

status record_writer::add_row(core::record row) {
  row.shard = shard_for(row);
  core::bytes encoded;
  core::encode(row, encoded);
  if (auto fits = check_size(encoded); !fits)
    return fits;
  append(row.shard, encoded);
  auto& written = std::get<core::row_written>(row.body);
  added_rows_[{{row.ns, written.queue}, written.key}] = written.content;
  return bytes_ >= limits::snapshot_window_bytes ? flush() : status{};
}

void record_writer::append(core::shard_id shard, core::byte_view record) {
  auto& open = open_batches_[shard];
  auto& part = parts_[core::index_of(shard)];
  if (open.empty() && part.batches.empty() && part.meta.level < core::feature_level_current)
    core::encode({{}, shard, {}, part.meta.time, core::feature_level_raised{}}, open);
  if (open.size() + record.size() > limits::batch_bytes_max)
    close_batch(shard);
  open.insert(open.end(), record.begin(), record.end());
  bytes_ += record.size();
}

void record_writer::close_batch(core::shard_id shard) {
  auto& open = open_batches_[shard];
  if (open.empty())
    return;
  auto& part = parts_[core::index_of(shard)];
  auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  auto at = part.meta.applied + part.batches.size() + 1;
  auto epoch = std::max(part.meta.epoch, core::epoch{1});
  part.batches.push_back({epoch, at, std::max(part.meta.time, now),
                          std::make_shared<const core::bytes>(std::exchange(open, {}))});
}

status record_writer::flush() {
  for (std::uint16_t i = 0; i < shards(); ++i)
    close_batch(core::shard_id{i});
  if (std::ranges::all_of(parts_, [](auto& part) { return part.batches.empty(); }))
    return {};
  if (auto begun = begin_journal_anew(); !begun)
    return begun;
  std::vector<shard_window> windows;
  for (std::uint16_t i = 0; i < shards(); ++i)
    if (!parts_[i].batches.empty())
      windows.push_back({core::shard_id{i}, std::exchange(parts_[i].batches, {})});
  if (auto applied = storage::apply_windows(*tables_, windows); !applied)
    return applied;
  for (auto& window : windows) {
    auto& meta = parts_[core::index_of(window.shard)].meta;
    auto& newest = window.batches.back();
    meta.applied = newest.at;
    meta.epoch = newest.epoch;
    meta.time = newest.time;
    meta.level = std::max(meta.level, core::feature_level_current);
  }
  added_.clear();
  added_rows_.clear();
  bytes_ = 0;
  return {};
}

} // namespace troupe::storage
