#include "storage/lmdb_transaction.hpp"

#include <lmdb.h>

namespace troupe::storage {

lmdb_view::~lmdb_view() {
  rows.end();
  rows.env.gate().leave(inside_);
}

status lmdb_view::begin_unchecked() {
  auto txn = rows.env.begin_read(inside_);
  if (!txn)
    return txn.error();
  rows.txn = *txn;
  return {};
}

status lmdb_view::begin() {
  for (int attempt = 1;; ++attempt) {
    if (auto begun = begin_unchecked(); !begun)
      return begun;
    auto done = rows.begin(rows.txn, transaction());
    if (done.code() != ec::journal_corrupt || attempt == begin_attempts_max)
      return done;
    rows.end();
  }
}

std::uint64_t lmdb_view::transaction() const { return ::mdb_txn_id(rows.txn); }

namespace {

class lmdb_reader final : public table_reader {
public:
  explicit lmdb_reader(lmdb_env& env) : view_(env) {}

  status begin() { return view_.begin(); }

  result<std::optional<core::byte_view>> get(table from, core::byte_view key) override {
    return view_.rows.get(from, key);
  }
  std::unique_ptr<table_cursor> cursor(table in) override { return view_.rows.cursor(in, false); }
  table_totals totals(table of) override { return view_.rows.totals[of]; }

private:
  lmdb_view view_;
};

} // namespace

result<std::unique_ptr<table_reader>> begin_lmdb_reader(lmdb_env& env) {
  auto made = std::make_unique<lmdb_reader>(env);
  if (auto begun = made->begin(); !begun)
    return begun.error();
  return std::unique_ptr<table_reader>{std::move(made)};
}

} // namespace troupe::storage
