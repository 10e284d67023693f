#include "storage/lmdb_transaction.hpp"

#include <lmdb.h>

namespace troupe::storage {

namespace {

class lmdb_reader final : public table_reader {
public:
  explicit lmdb_reader(lmdb_env& env) : rows_(env), inside_(env.gate().enter()) {}
  ~lmdb_reader() override {
    rows_.end();
    rows_.env.gate().leave(inside_);
  }

  status begin() {
    auto txn = rows_.env.begin_read(inside_);
    return txn ? rows_.begin(*txn, ::mdb_txn_id(*txn)) : txn.error();
  }

  result<std::optional<core::byte_view>> get(table from, core::byte_view key) override {
    return rows_.get(from, key);
  }
  std::unique_ptr<table_cursor> cursor(table in) override { return rows_.cursor(in, false); }
  table_totals totals(table of) override { return rows_.totals[of]; }

private:
  lmdb_rows rows_;
  transaction_gate::ticket inside_;
};

} // namespace

result<std::unique_ptr<table_reader>> begin_lmdb_reader(lmdb_env& env) {
  auto made = std::make_unique<lmdb_reader>(env);
  if (auto begun = made->begin(); !begun)
    return begun.error();
  return std::unique_ptr<table_reader>{std::move(made)};
}

} // namespace troupe::storage
