#include "storage/lmdb_check.hpp"
#include "storage/lmdb_copy.hpp"
#include "storage/lmdb_file.hpp"
#include "storage/lmdb_others.hpp"
#include "storage/lmdb_own_rows.hpp"
#include "storage/lmdb_transaction.hpp"
#include "storage/salvage.hpp"
#include "storage/table_row.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <lmdb.h>
#include <unistd.h>

namespace troupe::storage {

namespace {

std::filesystem::path snapshot_path(const data_dir& x) { return x.path() / "snapshot"; }

class lmdb_store final : public lmdb_tables {
public:
  explicit lmdb_store(std::unique_ptr<lmdb_env> env) : env_(std::move(env)) {}

  result<std::unique_ptr<table_reader>> read() override { return begin_lmdb_reader(*env_); }
  result<std::unique_ptr<table_writer>> write() override {
    if (env_->mode() == open_mode::read)
      return error{ec::unsupported, env_->file().string() + " was opened only to read"};
    return begin_lmdb_writer(*env_);
  }
  void forget_pages() override { env_->forget_pages(); }
  status maintain() override;
  status copy(const std::filesystem::path& file, bool compact) override;
  lmdb_sizes sizes() const override;
  result<lmdb_summary> check(const problem_sink& each,
                             std::chrono::steady_clock::duration slice) override {
    return check_lmdb(*env_, each, slice);
  }
  lmdb_readers readers() const override;

private:
  std::unique_ptr<lmdb_env> env_;
  mutable lmdb_others others_;
};

status lmdb_store::maintain() {
  int dead = 0;
  inside_map inside;
  if (int code = ::mdb_reader_check(env_->raw(), &dead); code != 0)
    return env_->failed("look for dead readers of", code);
  return {};
}

lmdb_readers lmdb_store::readers() const {
  auto others = others_.look(env_->raw());
  return {env_->gate().inside(), std::max(env_->gate().oldest(), others.oldest), others.open};
}

status lmdb_store::copy(const std::filesystem::path& name, bool compact) {
  auto& files = system_files();
  auto to = file::open(files, name, O_WRONLY | O_CREAT | O_EXCL);
  if (!to)
    return to.error();
  auto done = copy_into(*env_, *to, compact);
  if (done && compact)
    done = renumber(name);
  if (done)
    done = to->sync();
  if (done)
    done = sync_directory(files, name.parent_path());
  if (!done)
    files.unlink(name);
  return done;
}

/// The bytes of all trees and of the pages before them.
std::uint64_t used_bytes(const lmdb_rows& rows) {
  constexpr unsigned free_tree = 0;
  std::vector<unsigned> trees{free_tree, lmdb_env::main_tree};
  for (std::size_t i = 0; i < tables; ++i)
    if (auto tree = rows.env.tree_of(table(i)))
      trees.push_back(*tree);
  std::uint64_t used = 0;
  inside_map inside;
  for (auto tree : trees) {
    MDB_stat found{};
    ::mdb_stat(rows.txn, tree, &found);
    auto pages = found.ms_branch_pages + found.ms_leaf_pages + found.ms_overflow_pages;
    used += pages * found.ms_psize;
  }
  return used;
}

lmdb_sizes lmdb_store::sizes() const {
  lmdb_sizes found;
  std::error_code ignored;
  found.file = std::filesystem::file_size(env_->file(), ignored);
  found.map_max = env_->map_bytes();
  if (lmdb_view view{*env_}; view.begin_unchecked())
    found.used = used_bytes(view.rows);
  return found;
}

/// Whether the store may be used by this owner. Errors: `newer_format`, `wrong_node`.
status check_marker(const lmdb_env& env, core::byte_view row, const node_identity& owner,
                    bool adopt) {
  auto found = decode_marker(row);
  auto name = env.file().string();
  if (!found)
    return env.damaged("its marker cannot be read");
  if (found->format > snapshot_format)
    return error{ec::newer_format, name + " has format " + std::to_string(found->format)
                                       + ", this version knows " + std::to_string(snapshot_format)
                                       + "; start the version that wrote it"};
  if (found->owner == owner || adopt)
    return {};
  return error{ec::wrong_node, name + " belongs to node " + to_string(found->owner.node)
                                   + ", incarnation " + std::to_string(found->owner.incarnation)
                                   + "; the data directory is of " + to_string(owner.node)
                                   + ", incarnation " + std::to_string(owner.incarnation)
                                   + ": put its own snapshot back, or restore a backup"};
}

status put_own(lmdb_rows& rows, std::string_view name, core::byte_view value) {
  core::bytes key{name.begin(), name.end()}, kept;
  seal(kept, own_rows, key, value);
  MDB_val at{key.size(), key.data()}, data{kept.size(), kept.data()};
  inside_map inside;
  if (int code = ::mdb_put(rows.txn, lmdb_env::main_tree, &at, &data, 0); code != 0)
    return rows.env.failed("write", code);
  return {};
}

/// Writes whose store it is, and that this transaction was the last.
status write_own_rows(lmdb_rows& rows, const node_identity& owner) {
  rows.totals.transaction = ::mdb_txn_id(rows.txn);
  if (auto done = put_own(rows, marker_key, encode(own_marker{snapshot_format, owner})); !done)
    return done;
  return put_own(rows, totals_key, encode(rows.totals));
}

/// Whether the main tree has any row.
bool has_content(MDB_txn* txn) {
  MDB_stat found{};
  return ::mdb_stat(txn, lmdb_env::main_tree, &found) == 0 && found.ms_entries > 0;
}

/// Finds whose store it is and opens its trees; all that is missing in a new one is written at
/// once. `rows` has a transaction, of the kind of the mode.
status set_up(lmdb_rows& rows, const node_identity& owner, const lmdb_options& options) {
  auto& env = rows.env;
  bool write = env.mode() == open_mode::write;
  if (auto opened = env.open_main(rows.txn); !opened)
    return opened;
  auto marker = rows.get_own(marker_key);
  if (!marker)
    return marker.error();
  if (!*marker && (options.expect_existing || !write || has_content(rows.txn)))
    return env.damaged("it has no marker of its owner");
  if (*marker) {
    if (auto mine = check_marker(env, **marker, owner, options.adopt); !mine)
      return mine;
    if (auto begun = rows.begin(rows.txn, ::mdb_txn_id(rows.txn) - (write ? 1 : 0)); !begun)
      return begun;
  }
  bool same = *marker && decode_marker(**marker)->owner == owner;
  auto made = env.open_trees(rows.txn, write);
  if (!made)
    return made.error();
  if (write && (*made || !same))
    if (auto written = write_own_rows(rows, owner); !written)
      return written;
  // The handles stay after a commit only, of a transaction that reads, too.
  int code = ::mdb_txn_commit(rows.release());
  return code == 0 ? status{} : env.failed("open", code);
}

status begin_set_up(lmdb_env& env, const node_identity& owner, const lmdb_options& options) {
  for (int attempt = 1; env.mode() == open_mode::read; ++attempt) {
    lmdb_view view{env};
    auto done = view.begin_unchecked();
    if (done)
      done = set_up(view.rows, owner, options);
    if (done.code() != ec::journal_corrupt || attempt == begin_attempts_max)
      return done;
  }
  lmdb_rows rows{env};
  auto txn = env.begin_write();
  if (!txn)
    return txn.error();
  rows.txn = *txn;
  return set_up(rows, owner, options);
}

/// Refuses a file with any problem, and tells the first.
status check_first(const data_dir& directory) {
  std::optional<std::string> first;
  auto found = check_lmdb_file(directory, [&](const lmdb_problem& x) {
    if (!first)
      first = to_string(x);
  });
  if (!found)
    return found.error();
  if (first)
    return lmdb::damaged(snapshot_path(directory) / "data.mdb", "is damaged: " + *first);
  return {};
}

} // namespace

bool has_lmdb_tables(const data_dir& directory) {
  std::error_code ignored;
  return std::filesystem::exists(snapshot_path(directory) / "data.mdb", ignored);
}

bool has_unfinished_tables(const data_dir& directory) {
  return lmdb::is_unfinished(directory, snapshot_path(directory) / "data.mdb");
}

result<std::unique_ptr<table_store>> salvage_tables(const data_dir& directory,
                                                    const problem_sink& each) {
  auto path = snapshot_path(directory);
  if (auto whole = lmdb::examine(directory, path / "data.mdb", false); !whole)
    return whole.error();
  auto env = lmdb_env::open(path, directory.mode(), {});
  if (!env)
    return env.error();
  return salvage_lmdb(**env, each);
}

result<std::unique_ptr<lmdb_tables>> open_lmdb_tables(const data_dir& directory,
                                                      const lmdb_options& options) {
  auto path = snapshot_path(directory);
  bool write = directory.mode() == open_mode::write;
  if (auto sound = lmdb::examine(directory, path / "data.mdb", options.expect_existing); !sound)
    return sound.error();
  if (write)
    if (auto made = make_directories(directory.files(), path); !made)
      return made.error();
  if (options.check_first && has_lmdb_tables(directory))
    if (auto sound = check_first(directory); !sound)
      return sound.error();
  auto env = lmdb_env::open(path, directory.mode(), options);
  if (!env)
    return env.error();
  if (auto ready = begin_set_up(**env, directory.about().owner, options); !ready)
    return ready.error();
  if (write)
    if (auto synced = sync_directory(directory.files(), path); !synced)
      return synced.error();
  return std::unique_ptr<lmdb_tables>{std::make_unique<lmdb_store>(std::move(*env))};
}

} // namespace troupe::storage
