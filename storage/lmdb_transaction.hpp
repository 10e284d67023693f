#pragma once

#include "storage/lmdb_env.hpp"
#include "storage/lmdb_own_rows.hpp"

#include <vector>

struct MDB_cursor;

namespace troupe::storage {

class lmdb_cursor;

/// What a transaction that reads and one that writes have in common. Private to storage/lmdb_*.
class lmdb_rows {
public:
  explicit lmdb_rows(lmdb_env& env) : env(env) {}
  ~lmdb_rows() { end(); }

  /// Takes over an open transaction that shows what transaction `last` committed. Errors:
  /// `journal_corrupt` if the store's own rows are damaged or older.
  status begin(MDB_txn* opened, std::uint64_t last);
  /// The row of a table or, of the main tree, the store's own.
  result<std::optional<core::byte_view>> get(table from, core::byte_view key) const;
  result<std::optional<core::byte_view>> get_own(std::string_view key) const;
  /// What the file keeps as the row's value, whether its checksum is right or not.
  result<std::optional<core::byte_view>> get_kept(table from, core::byte_view key) const;
  std::unique_ptr<table_cursor> cursor(table in, bool writes);
  /// Ends the transaction without changes, and what its cursors show.
  void end();
  /// Takes the transaction to commit it; its cursors have ended.
  MDB_txn* release();

  lmdb_env& env;
  MDB_txn* txn = nullptr;
  own_totals totals;
  std::uint64_t changes = 0;
  std::vector<lmdb_cursor*> cursors;

private:
  result<std::optional<core::byte_view>> find(unsigned tree, core::byte_view key) const;
  result<std::optional<core::byte_view>> find_sound(unsigned tree, std::uint8_t of,
                                                    core::byte_view key) const;
};

/// How often a transaction that reads is begun. LMDB takes the number of the last commit, then what
/// the file says of it: who is held up between the two while others commit meets a later one's,
/// which looks like damage. Damage is still there each time.
inline constexpr int begin_attempts_max = 5;

/// A transaction that reads, inside the gate while it is there. Private to storage/lmdb_*.
class lmdb_view {
public:
  explicit lmdb_view(lmdb_env& env) : rows(env), inside_(env.gate().enter()) {}
  ~lmdb_view();
  lmdb_view(const lmdb_view&) = delete;
  lmdb_view& operator=(const lmdb_view&) = delete;

  /// Begins it. Errors: `overloaded` if too many read, `journal_corrupt`, `io_failed`.
  status begin();
  /// Begins it without a look at the store's own rows.
  status begin_unchecked();
  /// The last transaction that it shows.
  std::uint64_t transaction() const;

  lmdb_rows rows;

private:
  transaction_gate::ticket inside_;
};

/// `table live, key 0a0b…`, for reports.
std::string row_name(std::uint8_t of, core::byte_view key);

result<std::unique_ptr<table_reader>> begin_lmdb_reader(lmdb_env& env);
result<std::unique_ptr<table_writer>> begin_lmdb_writer(lmdb_env& env);

} // namespace troupe::storage
