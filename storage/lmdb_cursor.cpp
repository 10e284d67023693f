#include "storage/lmdb_cursor.hpp"

#include "storage/table_map.hpp"
#include "storage/table_row.hpp"

#include <lmdb.h>

namespace troupe::storage {

lmdb_cursor::lmdb_cursor(lmdb_rows& rows, table in, bool writes)
    : rows_(&rows), in_(in), writes_(writes) {
  rows.cursors.push_back(this);
}

lmdb_cursor::~lmdb_cursor() {
  if (!rows_)
    return;
  std::erase(rows_->cursors, this);
  let_go();
}

void lmdb_cursor::let_go() noexcept {
  if (at_)
    ::mdb_cursor_close(at_);
  at_ = nullptr;
  rows_ = nullptr;
  placed_ = false;
}

/// Opens LMDB's cursor on the first use; it stays closed if there is no such tree.
status lmdb_cursor::enter() {
  if (!rows_)
    return error{ec::not_ready, "the cursor's transaction has ended; begin another"};
  auto tree = rows_->env.tree_of(in_);
  if (at_ || !tree)
    return {};
  inside_map inside;
  if (int code = ::mdb_cursor_open(rows_->txn, *tree, &at_); code != 0)
    return rows_->env.failed("read", code);
  return {};
}

result<bool> lmdb_cursor::nothing() noexcept {
  placed_ = false;
  return false;
}

result<bool> lmdb_cursor::seek(core::byte_view key) {
  placed_ = false;
  if (auto entered = enter(); !entered)
    return entered.error();
  if (key.empty())
    return move(MDB_FIRST);
  return move_to(key);
}

result<bool> lmdb_cursor::seek_before(core::byte_view key) {
  auto found = seek(key);
  if (!found)
    return found;
  return move(*found ? MDB_PREV : MDB_LAST);
}

result<bool> lmdb_cursor::next() {
  if (!placed_ || !rows_)
    return false;
  if (!changed())
    return move(MDB_NEXT);
  auto place = place_;
  auto found = seek(place);
  if (!found || !*found || compare_keys(key_, place) > 0)
    return found;
  return move(MDB_NEXT);
}

result<bool> lmdb_cursor::previous() {
  if (!placed_ || !rows_)
    return false;
  if (!changed())
    return move(MDB_PREV);
  auto place = place_;
  return seek_before(place);
}

result<bool> lmdb_cursor::move_to(core::byte_view key) {
  damaged_ = false;
  MDB_val at{key.size(), const_cast<std::uint8_t*>(key.data())}, kept{};
  inside_map inside;
  int code = at_ ? ::mdb_cursor_get(at_, &at, &kept, MDB_SET_RANGE) : MDB_NOTFOUND;
  if (code == MDB_NOTFOUND)
    return nothing();
  if (code != 0)
    return rows_->env.failed("read", code);
  core::byte_view found{static_cast<const std::uint8_t*>(at.mv_data), at.mv_size};
  if (compare_keys(found, key) < 0)
    return rows_->env.damaged("rows out of order at " + row_name(number_of(in_), found));
  return load(found, {static_cast<const std::uint8_t*>(kept.mv_data), kept.mv_size});
}

result<bool> lmdb_cursor::move(int operation) {
  damaged_ = false;
  MDB_val at{}, kept{};
  inside_map inside;
  int code = at_ ? ::mdb_cursor_get(at_, &at, &kept, MDB_cursor_op(operation)) : MDB_NOTFOUND;
  if (code == MDB_NOTFOUND)
    return nothing();
  if (code != 0)
    return rows_->env.failed("read", code);
  core::byte_view found{static_cast<const std::uint8_t*>(at.mv_data), at.mv_size};
  bool steps = placed_ && !writes_ && (operation == MDB_NEXT || operation == MDB_PREV);
  if (steps && (compare_keys(found, key_) > 0) != (operation == MDB_NEXT))
    return rows_->env.damaged("rows out of order at " + row_name(number_of(in_), found));
  return load(found, {static_cast<const std::uint8_t*>(kept.mv_data), kept.mv_size});
}

result<bool> lmdb_cursor::load(core::byte_view key, core::byte_view kept) {
  auto value = unseal(number_of(in_), key, kept);
  key_ = key;
  value_ = value.value_or(core::byte_view{});
  damaged_ = !value;
  placed_ = true;
  changes_ = rows_->changes;
  if (writes_)
    place_.assign(key.begin(), key.end());
  if (damaged_)
    return rows_->env.damaged("wrong checksum at " + row_name(number_of(in_), key));
  return true;
}

} // namespace troupe::storage
