#include "storage/lmdb_pages.hpp"
#include "storage/lmdb_transaction.hpp"
#include "storage/table_row.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <lmdb.h>
#include <thread>

namespace troupe::storage {

namespace {

MDB_val value_of(core::byte_view x) { return {x.size(), const_cast<std::uint8_t*>(x.data())}; }

class lmdb_writer final : public table_writer {
public:
  explicit lmdb_writer(lmdb_env& env) : rows_(env), lock_(env.writing()) {}
  ~lmdb_writer() override {
    assert(here() && "a transaction that writes stays on one thread");
    rows_.end();
  }

  status begin() {
    auto txn = rows_.env.begin_write();
    return txn ? rows_.begin(*txn, ::mdb_txn_id(*txn) - 1) : txn.error();
  }

  result<std::optional<core::byte_view>> get(table from, core::byte_view key) override {
    assert(here() && rows_.txn);
    return rows_.get(from, key);
  }
  std::unique_ptr<table_cursor> cursor(table in) override {
    assert(here() && rows_.txn);
    return rows_.cursor(in, true);
  }
  table_totals totals(table of) override { return rows_.totals[of]; }

  status put(table to, core::byte_view key, core::byte_view value) override;
  result<bool> erase(table from, core::byte_view key) override;
  status commit() override;
  bool must_repeat() const override { return must_repeat_; }

private:
  status finish(status done);
  bool here() const { return thread_ == std::this_thread::get_id(); }
  template <class Call>
  status change(const Call& call, const char* verb);
  void mark(table x);
  bool can_go(core::byte_view kept) const;
  std::optional<std::uint64_t> digest_of(table x);
  void count_again();

  lmdb_rows rows_;
  std::unique_lock<std::mutex> lock_;
  std::thread::id thread_ = std::this_thread::get_id();
  std::optional<error> broken_; ///< The first change that failed: nothing can be committed.
  bool must_repeat_ = false;
  std::vector<lmdb_problem> removed_; ///< Damaged rows.
  core::bytes key_, kept_; ///< What is put: the arguments may show pages that it changes.
};

/// Makes a change; one that failed breaks the transaction. LMDB makes EIO of a write that was cut
/// short; of any other EIO the system tells, too.
template <class Call>
status lmdb_writer::change(const Call& call, const char* verb) {
  ++rows_.changes;
  errno = 0;
  int code = call();
  if (code == 0)
    return {};
  if (code == EIO && errno != EIO) {
    broken_ = rows_.env.cut_short(verb);
    return *broken_;
  }
  if (code == MDB_MAP_FULL) {
    must_repeat_ = true;
    rows_.env.want_growth();
  }
  broken_ = rows_.env.failed(verb, code);
  return *broken_;
}

void lmdb_writer::mark(table x) {
  rows_.totals.changed[static_cast<std::size_t>(x)] = ::mdb_txn_id(rows_.txn);
}

status lmdb_writer::put(table to, core::byte_view key, core::byte_view value) {
  assert(here() && rows_.txn);
  if (broken_)
    return *broken_;
  if (auto fits = check_row(key, value); !fits)
    return fits;
  auto old = rows_.get(to, key);
  if (!old)
    return old.error();
  if (*old && std::ranges::equal(**old, value))
    return {};
  auto after = rows_.totals[to];
  if (*old)
    drop_row(after, to, key, **old);
  add_row(after, to, key, value);
  key_.assign(key.begin(), key.end());
  seal(kept_, number_of(to), key, value);
  auto at = value_of(key_), kept = value_of(kept_);
  inside_map inside;
  auto done =
      change([&] { return ::mdb_put(rows_.txn, *rows_.env.tree_of(to), &at, &kept, 0); }, "write");
  if (done) {
    rows_.totals[to] = after;
    mark(to);
  }
  return done;
}

/// Whether LMDB can take down a row whose value is damaged: all of it lies where it says, so that
/// no page is freed that another row uses.
bool lmdb_writer::can_go(core::byte_view kept) const {
  auto place = rows_.env.place_of(kept.data());
  if (!place)
    return true; // This transaction wrote it.
  MDB_stat about{};
  ::mdb_env_stat(rows_.env.raw(), &about);
  std::uint64_t page_bytes = about.ms_psize, in_page = *place % page_bytes;
  if (in_page != lmdb::page_header_bytes)
    return in_page + kept.size() <= page_bytes;
  core::byte_view head{kept.data() - in_page, lmdb::page_header_bytes};
  auto needed = (in_page + kept.size() - 1) / page_bytes + 1;
  return lmdb::overflow_pages(head, *place / page_bytes) == needed;
}

result<bool> lmdb_writer::erase(table from, core::byte_view key) {
  assert(here() && rows_.txn);
  if (broken_)
    return *broken_;
  auto kept = rows_.get_kept(from, key);
  if (!kept)
    return kept.error();
  if (!*kept)
    return false;
  inside_map inside;
  auto after = rows_.totals[from];
  auto old = unseal(number_of(from), key, **kept);
  if (!old && !can_go(**kept))
    return rows_.env.damaged("wrong checksum at " + row_name(number_of(from), key));
  if (old)
    drop_row(after, from, key, *old);
  else
    --after.rows;
  key_.assign(key.begin(), key.end());
  auto at = value_of(key_);
  auto done =
      change([&] { return ::mdb_del(rows_.txn, *rows_.env.tree_of(from), &at, nullptr); }, "write");
  if (!done)
    return done.error();
  if (!old)
    removed_.push_back({from, key_, 0, "wrong checksum"});
  rows_.totals[from] = after;
  mark(from);
  return true;
}

/// Over all rows of a table; nothing if one cannot be read.
std::optional<std::uint64_t> lmdb_writer::digest_of(table x) {
  table_totals found;
  auto cursor = rows_.cursor(x, true);
  auto there = cursor->seek({});
  for (; there && *there; there = cursor->next())
    add_row(found, x, cursor->key(), cursor->value());
  return there ? std::optional{found.digest} : std::nullopt;
}

/// Nobody knows what a damaged row added to the digest of its table, so that is made anew. A table
/// with other damage keeps its old one: the check tells of both.
void lmdb_writer::count_again() {
  std::array<bool, tables> wrong{};
  for (auto& x : removed_)
    wrong[static_cast<std::size_t>(*x.in)] = true;
  for (std::size_t i = 0; i < tables; ++i)
    if (auto digest = wrong[i] ? digest_of(table(i)) : std::nullopt)
      rows_.totals[table(i)].digest = *digest;
}

status lmdb_writer::commit() {
  assert(here() && rows_.txn);
  if (broken_)
    return finish(*broken_);
  if (rows_.changes == 0)
    return finish({});
  count_again();
  rows_.totals.transaction = ::mdb_txn_id(rows_.txn);
  key_.assign(totals_key.begin(), totals_key.end());
  seal(kept_, own_rows, key_, encode(rows_.totals));
  auto at = value_of(key_), kept = value_of(kept_);
  inside_map inside;
  auto done =
      change([&] { return ::mdb_put(rows_.txn, lmdb_env::main_tree, &at, &kept, 0); }, "write");
  if (done)
    done = change([this] { return ::mdb_txn_commit(rows_.release()); }, "commit to");
  return finish(std::move(done));
}

/// Lets the next one write.
status lmdb_writer::finish(status done) {
  rows_.end();
  lock_.unlock();
  if (done)
    for (auto& x : removed_)
      rows_.env.tell_removed(x);
  return done;
}

} // namespace

result<std::unique_ptr<table_writer>> begin_lmdb_writer(lmdb_env& env) {
  auto made = std::make_unique<lmdb_writer>(env);
  if (auto begun = made->begin(); !begun)
    return begun.error();
  return std::unique_ptr<table_writer>{std::move(made)};
}

} // namespace troupe::storage
