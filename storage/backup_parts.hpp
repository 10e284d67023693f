#pragma once

#include "storage/backup_manifest.hpp"
#include "storage/lmdb_tables.hpp"
#include "storage/snapshot_read.hpp"

/// What backup, restore and compact have in common. Private to storage/.
namespace troupe::storage {

/// Makes a directory with a snapshot one that can be opened to write, for a while or for good: a
/// manifest and a place for a journal. Errors: `io_failed`, `no_space`, as `data_dir::open`.
result<data_dir> prepare_parts(const std::filesystem::path& directory, const manifest& about);

/// Removes what only an owner needs: manifest, journal, locks. Errors: `io_failed`.
status remove_owner_files(const std::filesystem::path& directory);

/// Takes what the journal of `from` has beyond the tables into them; `told` gets the bytes so far.
/// Errors: those of `journal_reader::reach` and `apply_windows`.
status apply_journal(const data_dir& from, table_store& tables,
                     const std::function<void(std::uint64_t)>& told);

/// The next journal begins anew: the snapshot knows no segment of it. Errors: those of `update`.
status forget_journal(table_store& tables);

/// What a snapshot holds.
struct parts_summary {
  std::uint64_t jobs = 0, rows = 0;
  std::map<core::shard_id, core::position> positions;
};

/// Reads every page and row of a snapshot that nobody else has open.
/// Errors: `journal_corrupt` with the first thing that is wrong, `io_failed`.
result<parts_summary> check_parts(const data_dir& directory, lmdb_tables& tables);

/// Copies blobs from one directory to another, each once, and checks them on the way: all that the
/// tables name, then the others of `from` that `also` picks. `told` gets the sum so far.
/// Errors: those of `each_named_blob` and `blob_files::copy`.
status copy_blobs(table_store& tables, std::uint16_t shards, const blob_files& from,
                  const std::filesystem::path& to,
                  const std::function<result<bool>(const blob_file&)>& also, blob_totals& sum,
                  const std::function<void(std::uint64_t)>& told);

/// Hands on every blob that anything in the tables names, graphs too; some more than once. Stops
/// at the first error of `each`. Errors: those of `table_store`, `journal_corrupt`.
status each_named_blob(table_store& tables, std::uint16_t shards,
                       const std::function<status(namespace_id, const sha256_digest&)>& each);

} // namespace troupe::storage
