#pragma once

#include "core/bytes.hpp"
#include "troupe/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace troupe::storage {

/// The tables of the snapshot. The numbers stand in the file's names: append, never renumber.
enum class table : std::uint8_t {
  meta,        ///< Each shard's applied position. (What the store is, it keeps for itself.)
  live,        ///< Jobs that have not ended.
  done,        ///< Jobs that have.
  chunks,      ///< The records of each job, packed.
  graphs,      ///< Graphs that jobs were made from, by content.
  links,       ///< Messages between shards.
  idempotency, ///< Keys of requests, in buckets of days.
  by_state,
  by_queue,
  by_label,
  by_end, ///< Ended jobs in the order in which retention takes them.
  rows,   ///< The embedder's own rows.
  totals, ///< Counts and bytes, per shard and queue.
};
inline constexpr std::size_t tables = 13;

/// The name of a table as reports show it.
const char* to_string(table x) noexcept;

/// How much a table holds: the sum of a hash over every row, whatever their order.
struct table_totals {
  std::uint64_t rows = 0;
  std::uint64_t digest = 0;
  bool operator==(const table_totals&) const = default;
};

/// Walks the rows of one table in the order of their keys' bytes. What `key` and `value` show is
/// valid until the transaction ends or, in one that writes, until the next change. Errors:
/// `journal_corrupt` if a checksum is wrong, `io_failed`.
class table_cursor {
public:
  virtual ~table_cursor() = default;
  /// To the first row whose key is not less than `key`; false if there is none.
  virtual result<bool> seek(core::byte_view key) = 0;
  /// To the last row whose key is less than `key`; false if there is none.
  virtual result<bool> seek_before(core::byte_view key) = 0;
  /// From the row of the last successful step; false at the end, after which only `seek` helps.
  virtual result<bool> next() = 0;
  virtual result<bool> previous() = 0;
  virtual core::byte_view key() const = 0;
  virtual core::byte_view value() const = 0;
  /// Whether the last step failed because the row's checksum is wrong: then `key` shows the row,
  /// `value` nothing, and `next` and `previous` go on from it.
  virtual bool at_damaged() const noexcept { return false; }
};

/// All tables at one moment. For one thread at a time, not always the same.
class table_reader {
public:
  virtual ~table_reader() = default;
  virtual result<std::optional<core::byte_view>> get(table from, core::byte_view key) = 0;
  virtual std::unique_ptr<table_cursor> cursor(table in) = 0;
  virtual table_totals totals(table of) = 0;
};

/// The one transaction that changes tables; what it changed is there for itself at once, and for
/// everyone after `commit`. Without `commit` nothing has changed. It stays on one thread.
class table_writer : public table_reader {
public:
  /// Keys have 1 to `limits::table_key_bytes_max` bytes. `key` and `value` may show rows of this
  /// transaction. Errors: `no_space`, `io_failed`, `journal_corrupt` if the row that it replaces
  /// is damaged, `invalid_spec` for an empty key, `too_large`, and see `must_repeat`.
  virtual status put(table to, core::byte_view key, core::byte_view value) = 0;
  /// False if there was no such row. A row with a wrong checksum goes, too, unless what leads to it
  /// is damaged.
  virtual result<bool> erase(table from, core::byte_view key) = 0;
  /// Returns when all is on the disk. Errors: `no_space`, `io_failed`; then nothing has changed.
  /// Only once, and nothing is read or written after it.
  virtual status commit() = 0;
  /// Whether `overloaded` meant that the store has to grow, which the next `write` does: the same
  /// changes, made again in a new transaction, then succeed. `update` does so.
  virtual bool must_repeat() const { return false; }
};

/// Ordered tables with atomic, durable transactions: one that writes, beside any number that
/// read. Thread-safe.
class table_store {
public:
  virtual ~table_store() = default;
  /// Errors: `overloaded` if too many read, `io_failed`.
  virtual result<std::unique_ptr<table_reader>> read() = 0;
  /// Waits for the transaction that writes, if there is one. Errors: `no_space`, `io_failed`.
  virtual result<std::unique_ptr<table_writer>> write() = 0;
  /// Most of what was read is not needed again soon: the process may let go of it.
  virtual void forget_pages() {}
};

/// Makes changes in one transaction and commits it. Called on one thread, `change` may run more
/// than once, each time on a transaction without changes. Errors: those of `change`, with which
/// nothing has changed, and of `write` and `commit`.
status update(table_store& store, const std::function<status(table_writer&)>& change);

/// Keeps tables in memory, for runs without durability and for simulations. Readers see the moment
/// of their `read`.
std::unique_ptr<table_store> memory_tables();

} // namespace troupe::storage
