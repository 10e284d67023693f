#pragma once

#include "storage/data_dir.hpp"
#include "storage/tables.hpp"
#include "troupe/limits.hpp"

#include <functional>
#include <string>

namespace troupe::storage {

/// Something that is wrong in the snapshot's file.
struct lmdb_problem {
  std::optional<table> in; ///< Nothing in what joins the tables, or if it is not in the file.
  core::bytes key;         ///< The row, or one near it; may be empty.
  std::uint64_t page = 0;  ///< Where in the file; 0 for all of it.
  std::string what;
};
/// `page 12, table live, key 0a0b: wrong checksum`.
std::string to_string(const lmdb_problem& x);

using problem_sink = std::function<void(const lmdb_problem&)>;

/// What may be chosen when the snapshot is opened.
struct lmdb_options {
  /// The data directory is not new: a snapshot that is empty or gone is refused, not made.
  bool expect_existing = false;
  /// Checks every page before any is mapped, for use after the machine or its disk had trouble. It
  /// reads the whole file, so a node does not do it when it starts after a crash: with some GB that
  /// takes longer than a start may. Synced transactions outlive a kill and a loss of power; what a
  /// disk has damaged is met by the test of the file's length, the checksum of each row, the guard
  /// of the map, and the scrubber.
  bool check_first = false;
  /// Takes over a snapshot of another node or incarnation, for a restore. Only to write.
  bool adopt = false;
  /// Addresses, not memory or disk; less is taken where the process may not have as many.
  std::uint64_t map_bytes = limits::snapshot_map_bytes;
  unsigned readers_max = limits::snapshot_readers_max; ///< Counts when the lock file is made.
  /// How long growing waits for the transactions that read.
  std::chrono::milliseconds resize_wait = limits::snapshot_resize_wait;
  /// Told of each row with a wrong checksum that was removed, once that is durable. On the thread
  /// that writes. May be empty.
  problem_sink removed;
};

/// How large the snapshot is.
struct lmdb_sizes {
  std::uint64_t used = 0;    ///< Bytes of the pages that are in use.
  std::uint64_t file = 0;    ///< Bytes of the file, which never shrinks.
  std::uint64_t map_max = 0; ///< Bytes that it can grow to without waiting for readers.
};

/// Who reads.
struct lmdb_readers {
  std::size_t open = 0; ///< Transactions of this process.
  /// How long the oldest of all is open; of those of other processes, since `readers` first saw it.
  std::chrono::steady_clock::duration oldest{};
  std::size_t others = 0; ///< Of other processes, and of those that died until `maintain`.
};

/// What a check has looked at.
struct lmdb_summary {
  std::uint64_t rows = 0, bytes = 0, pages = 0;
  std::uint64_t problems = 0;
  /// Tables whose count and digest could be compared: all but those that changed meanwhile.
  std::size_t compared = 0;
};

/// The snapshot's tables in one LMDB environment, `snapshot/` of the data directory. Each row has a
/// checksum, tested whenever it is read. All transactions and cursors end before this object. A
/// transaction that writes may have to wait for those that read to end (see `resize_wait`), so who
/// writes holds none of these. Thread-safe.
class lmdb_tables : public table_store {
public:
  /// Frees what processes that died were reading. For the owner, each minute.
  /// Errors: `io_failed`.
  virtual status maintain() = 0;

  /// Writes a copy of one moment into a new file, synced; `compact` leaves free pages out. It
  /// reads in one transaction however long that takes. Errors: `no_space`, `io_failed`.
  virtual status copy(const std::filesystem::path& file, bool compact) = 0;

  /// Reads every page that is in use, not through the map: each row's checksum, the order, what
  /// leads to each row, that no page is used twice, counts and digests. Calls `each` on the spot.
  /// Beside transactions that write it begins a new one itself after each `slice`; without any
  /// (zero) it takes one for all, and compares more. Errors: `io_failed`, `overloaded`.
  virtual result<lmdb_summary>
  check(const problem_sink& each,
        std::chrono::steady_clock::duration slice = limits::read_transaction_max) = 0;

  virtual lmdb_sizes sizes() const = 0;
  virtual lmdb_readers readers() const = 0;
};

/// The same check of the file alone, for one that may be too damaged to be opened. Nobody may be
/// writing it. Errors: `io_failed`.
result<lmdb_summary> check_lmdb_file(const data_dir& directory, const problem_sink& each);

/// Whether there is a snapshot in the data directory, of whatever content.
bool has_lmdb_tables(const data_dir& directory);

/// Whether its file is so short that the making of it was cut short: it never held anything, or all
/// that it held is gone.
bool has_unfinished_tables(const data_dir& directory);

/// Opens the snapshot as the data directory was opened: to write, and makes it if it is not there,
/// or to read beside a process that writes. Errors: `journal_corrupt` if it was cut off, damaged
/// or is gone, `newer_format`, `wrong_node`, `already_open` in this process, `io_failed`,
/// `no_space`. Each names the file and what to do.
result<std::unique_ptr<lmdb_tables>> open_lmdb_tables(const data_dir& directory,
                                                      const lmdb_options& options = {});

} // namespace troupe::storage
