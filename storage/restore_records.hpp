#pragma once

#include "core/records.hpp"
#include "storage/blob_store.hpp"
#include "storage/lmdb_tables.hpp"
#include "storage/snapshot.hpp"
#include "storage/snapshot_read.hpp"

#include <set>

namespace troupe::storage {

/// Takes the records of whole jobs, and rows, into a data directory that no process has open for
/// writing: straight into the snapshot, many in one transaction, each job whole or not at all, also
/// if it has more records than one batch holds. The journal begins anew behind them; where nothing
/// is added, nothing is touched. For one thread.
class record_writer {
public:
  /// The directory must be of this version's format: open a runtime on it once before. Takes in
  /// what its journal has beyond the snapshot. Errors: those of `data_dir::open`,
  /// `open_lmdb_tables` and `open_journal_reader`; `unknown_record`.
  static result<record_writer> open(const std::filesystem::path& data);

  std::uint16_t shards() const noexcept { return directory_->about().shards; }
  blob_store& blobs() noexcept { return *blobs_; }

  /// Whether there is such a job, durable or added. Errors: `journal_corrupt`, `io_failed`.
  result<bool> has(job_id id) const;
  /// The content of a row, durable or added. Errors: as above.
  result<std::optional<core::bytes>> row(const keys::name_in& name) const;

  /// Adds a job's records, all of them and of one job. They are durable after `flush`.
  /// Errors: those of `flush`; `too_large` for a record that no batch can hold.
  status add(core::record_group job);
  /// Adds rows, each as a record without a job.
  status add_row(core::record row);

  /// Makes what was added durable, all at once. Errors: those of `apply_windows`; `already_open`
  /// while a backup or a reader holds its pin; then none of it is there.
  status flush();

private:
  struct shard_part {
    shard_meta meta;
    std::vector<durable_batch> batches;
  };

  record_writer(std::shared_ptr<data_dir> directory, std::unique_ptr<lmdb_tables> tables,
                std::unique_ptr<blob_store> blobs)
      : directory_(std::move(directory)), tables_(std::move(tables)), blobs_(std::move(blobs)) {}

  status take_in_journal();
  status begin_journal_anew();
  status exchange_journal();
  void append(core::shard_id shard, core::byte_view record);
  void close_batch(core::shard_id shard);
  core::shard_id shard_for(const core::record& r) const;

  std::shared_ptr<data_dir> directory_; ///< Outlives the stores.
  std::unique_ptr<lmdb_tables> tables_;
  std::unique_ptr<blob_store> blobs_;
  std::vector<shard_part> parts_;
  std::map<core::shard_id, core::bytes> open_batches_;
  std::set<job_id> added_;
  std::map<keys::name_in, core::bytes> added_rows_;
  std::size_t bytes_ = 0;
  bool anew_ = false; ///< The journal is empty.
};

} // namespace troupe::storage
