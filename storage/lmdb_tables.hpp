#pragma once

#include "storage/data_dir.hpp"
#include "storage/tables.hpp"
#include "troupe/limits.hpp"

#include <functional>
#include <string>

namespace troupe::storage {

/// What may be chosen when the snapshot is opened.
struct lmdb_options {
  /// The data directory is not new: a snapshot that is empty or gone is refused, not made.
  bool expect_existing = false;
  /// Takes over a snapshot of another node or incarnation, for a restore. Only to write.
  bool adopt = false;
  /// Addresses, not memory or disk; less is taken where the process may not have as many.
  std::uint64_t map_bytes = limits::snapshot_map_bytes;
  unsigned readers_max = limits::snapshot_readers_max; ///< Counts when the lock file is made.
  /// How long growing waits for the transactions that read.
  std::chrono::milliseconds resize_wait = limits::snapshot_resize_wait;
};

/// How large the snapshot is.
struct lmdb_sizes {
  std::uint64_t used = 0;    ///< Bytes of the pages that are in use.
  std::uint64_t file = 0;    ///< Bytes of the file, which never shrinks.
  std::uint64_t map_max = 0; ///< Bytes that it can grow to without waiting for readers.
};

/// Who reads.
struct lmdb_readers {
  std::size_t open = 0;                         ///< Transactions of this process.
  std::chrono::steady_clock::duration oldest{}; ///< How long the oldest of them is open.
};

/// The snapshot's tables in one LMDB environment, `snapshot/` of the data directory. Each row has a
/// checksum, tested whenever it is read. All transactions and cursors end before this object.
/// Thread-safe.
class lmdb_tables : public table_store {
public:
  /// Frees what processes that died were reading. For the owner, each minute.
  /// Errors: `io_failed`.
  virtual status maintain() = 0;

  /// Writes a copy of one moment into a new file, synced; `compact` leaves free pages out. It
  /// reads in one transaction however long that takes. Errors: `no_space`, `io_failed`.
  virtual status copy(const std::filesystem::path& file, bool compact) = 0;

  virtual lmdb_sizes sizes() const = 0;
  virtual lmdb_readers readers() const = 0;
};

/// Whether there is a snapshot in the data directory, of whatever content.
bool has_lmdb_tables(const data_dir& directory);

/// Opens the snapshot as the data directory was opened: to write, and makes it if it is not there,
/// or to read beside a process that writes. Errors: `journal_corrupt` if it was cut off, damaged
/// or is gone, `newer_format`, `wrong_node`, `already_open` in this process, `io_failed`,
/// `no_space`. Each names the file and what to do.
result<std::unique_ptr<lmdb_tables>> open_lmdb_tables(const data_dir& directory,
                                                      const lmdb_options& options = {});

} // namespace troupe::storage
