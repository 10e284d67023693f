#include "storage/lmdb_transaction.hpp"

#include "storage/lmdb_cursor.hpp"
#include "storage/table_row.hpp"

#include <algorithm>
#include <lmdb.h>
#include <utility>

namespace troupe::storage {

std::string row_name(std::uint8_t of, core::byte_view key) {
  static constexpr std::string_view digits = "0123456789abcdef";
  constexpr std::size_t shown_max = 64;
  std::string name = of == own_rows ? "the store's own row, key "
                                    : std::string{"table "} + to_string(table{of}) + ", key ";
  for (auto byte : key.first(std::min(key.size(), shown_max))) {
    name += digits[byte >> 4];
    name += digits[byte & 15];
  }
  return key.size() > shown_max ? name + "…" : name;
}

status lmdb_rows::begin(MDB_txn* opened, std::uint64_t last) {
  txn = opened;
  auto row = get_own(totals_key);
  if (!row)
    return row.error();
  auto found = *row ? decode_totals(**row) : std::nullopt;
  if (!found || found->transaction != last)
    return env.damaged("its totals are not those of its last transaction");
  totals = *found;
  return {};
}

result<std::optional<core::byte_view>> lmdb_rows::get(table from, core::byte_view key) const {
  auto tree = env.tree_of(from);
  if (!tree || key.empty() || key.size() > limits::table_key_bytes_max)
    return std::optional<core::byte_view>{};
  return find_sound(*tree, number_of(from), key);
}

result<std::optional<core::byte_view>> lmdb_rows::get_own(std::string_view key) const {
  return find_sound(lmdb_env::main_tree, own_rows, bytes_of(key));
}

result<std::optional<core::byte_view>> lmdb_rows::get_kept(table from, core::byte_view key) const {
  auto tree = env.tree_of(from);
  if (!tree || key.empty() || key.size() > limits::table_key_bytes_max)
    return std::optional<core::byte_view>{};
  return find(*tree, key);
}

result<std::optional<core::byte_view>> lmdb_rows::find(unsigned tree, core::byte_view key) const {
  MDB_val at{key.size(), const_cast<std::uint8_t*>(key.data())}, kept{};
  inside_map inside;
  int code = ::mdb_get(txn, tree, &at, &kept);
  if (code == MDB_NOTFOUND)
    return std::optional<core::byte_view>{};
  if (code != 0)
    return env.failed("read", code);
  return std::optional{
      core::byte_view{static_cast<const std::uint8_t*>(kept.mv_data), kept.mv_size}};
}

result<std::optional<core::byte_view>> lmdb_rows::find_sound(unsigned tree, std::uint8_t of,
                                                             core::byte_view key) const {
  auto kept = find(tree, key);
  if (!kept || !*kept)
    return kept;
  inside_map inside;
  auto value = unseal(of, key, **kept);
  if (!value)
    return env.damaged("wrong checksum at " + row_name(of, key));
  return value;
}

std::unique_ptr<table_cursor> lmdb_rows::cursor(table in, bool writes) {
  return std::make_unique<lmdb_cursor>(*this, in, writes);
}

MDB_txn* lmdb_rows::release() {
  for (auto cursor : std::exchange(cursors, {}))
    cursor->let_go();
  return std::exchange(txn, nullptr);
}

void lmdb_rows::end() {
  inside_map inside;
  if (auto open = release())
    ::mdb_txn_abort(open);
}

} // namespace troupe::storage
