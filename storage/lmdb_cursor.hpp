#pragma once

#include "storage/lmdb_transaction.hpp"

namespace troupe::storage {

/// A cursor of either kind of transaction; of one that ended it answers `not_ready`. In one that
/// writes it finds its place again after a change. Private to storage/lmdb_*.
class lmdb_cursor final : public table_cursor {
public:
  lmdb_cursor(lmdb_rows& rows, table in, bool writes);
  ~lmdb_cursor() override;

  result<bool> seek(core::byte_view key) override;
  result<bool> seek_before(core::byte_view key) override;
  result<bool> next() override;
  result<bool> previous() override;
  core::byte_view key() const override { return key_; }
  core::byte_view value() const override { return value_; }

  bool at_damaged() const noexcept override { return damaged_; }

  /// The transaction ends.
  void let_go() noexcept;

private:
  status enter();
  result<bool> move(int operation);
  result<bool> move_to(core::byte_view key);
  result<bool> load(core::byte_view key, core::byte_view kept);
  result<bool> nothing() noexcept;
  bool changed() const noexcept { return writes_ && changes_ != rows_->changes; }

  lmdb_rows* rows_;
  table in_;
  bool writes_;
  MDB_cursor* at_ = nullptr;
  bool placed_ = false, damaged_ = false;
  std::uint64_t changes_ = 0;
  core::byte_view key_, value_;
  core::bytes place_; ///< The key of the last row, if rows may change.
};

} // namespace troupe::storage
