#include "storage/lmdb_copy.hpp"

#include "storage/lmdb_own_rows.hpp"
#include "storage/table_row.hpp"

#include <lmdb.h>

namespace troupe::storage {

namespace {

struct close_env {
  void operator()(MDB_env* x) const { ::mdb_env_close(x); }
};
using env_ptr = std::unique_ptr<MDB_env, close_env>;

/// Writes the totals with the number of the transaction that does.
int write_totals(MDB_env* env) {
  MDB_txn* txn = nullptr;
  MDB_dbi main = 0;
  core::bytes key{totals_key.begin(), totals_key.end()}, kept;
  MDB_val at{key.size(), key.data()}, data{};
  if (int code = ::mdb_txn_begin(env, nullptr, 0, &txn); code != 0)
    return code;
  int code = ::mdb_dbi_open(txn, nullptr, 0, &main);
  if (code == 0)
    code = ::mdb_get(txn, main, &at, &data);
  if (code == 0) {
    auto row =
        unseal(own_rows, key, {static_cast<const std::uint8_t*>(data.mv_data), data.mv_size});
    auto totals = row ? decode_totals(*row) : std::nullopt;
    if (totals) {
      totals->transaction = ::mdb_txn_id(txn);
      totals->changed = {};
      seal(kept, own_rows, key, encode(*totals));
      data = {kept.size(), kept.data()};
      code = ::mdb_put(txn, main, &at, &data, 0);
    } else {
      code = MDB_CORRUPTED;
    }
  }
  if (code == 0)
    return ::mdb_txn_commit(txn);
  ::mdb_txn_abort(txn);
  return code;
}

} // namespace

status copy_into(lmdb_env& env, const file& to, bool compact) {
  auto ticket = env.gate().enter();
  int code = 0;
  {
    inside_map inside;
    code = ::mdb_env_copyfd2(env.raw(), to.descriptor(), compact ? MDB_CP_COMPACT : 0);
  }
  env.gate().leave(ticket);
  return code == 0 ? status{} : env.failed("copy", code);
}

status renumber(const std::filesystem::path& copy) {
  inside_map inside;
  MDB_env* raw = nullptr;
  int code = ::mdb_env_create(&raw);
  env_ptr env{raw};
  std::error_code ignored;
  constexpr std::size_t room = 1 << 20;
  if (code == 0)
    code = ::mdb_env_set_mapsize(raw, std::filesystem::file_size(copy, ignored) + room);
  if (code == 0)
    code = ::mdb_env_open(raw, copy.c_str(), MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0600);
  for (int i = 0; i < 2 && code == 0; ++i) // Once for each of the two first pages.
    code = write_totals(raw);
  if (code == 0)
    return {};
  return code > 0 ? os_error("write the copy", copy, -code)
                  : error{ec::io_failed, "cannot write the copy " + copy.string() + ": "
                                             + ::mdb_strerror(code) + "; copy again"};
}

} // namespace troupe::storage
