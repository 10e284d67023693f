#pragma once

#include "storage/lmdb_tables.hpp"
#include "storage/map_guard.hpp"
#include "storage/transaction_gate.hpp"

#include <array>
#include <atomic>

struct MDB_env;
struct MDB_txn;

namespace troupe::storage {

/// One open LMDB environment with a tree for each table. Thread-safe. Private to storage/lmdb_*.
class lmdb_env {
public:
  /// Maps a file that was found sound. Errors: as `open_lmdb_tables`.
  static result<std::unique_ptr<lmdb_env>> open(const std::filesystem::path& directory,
                                                open_mode mode, const lmdb_options& options);
  ~lmdb_env();
  lmdb_env(const lmdb_env&) = delete;
  lmdb_env& operator=(const lmdb_env&) = delete;

  /// Makes the main tree's handle good, before anything else.
  status open_main(MDB_txn* in);
  /// Opens each table's tree that is there, or makes it; tells whether one was made.
  result<bool> open_trees(MDB_txn* in, bool make);

  /// A transaction that reads; the gate was entered before. Grows the map if another process has.
  result<MDB_txn*> begin_read(transaction_gate::ticket& inside);
  /// A transaction that writes; the caller holds `writing`.
  result<MDB_txn*> begin_write();

  /// The handle of a table's tree; nothing if the file has none, being of an older version.
  std::optional<unsigned> tree_of(table x) const noexcept;
  /// The handle of the tree that holds the others, and the store's own rows.
  static constexpr unsigned main_tree = 1;

  /// What to tell of a result of LMDB.
  error failed(const char* verb, int code) const;
  /// Of a write that ended early, as on a full disk.
  error cut_short(const char* verb) const;
  /// Of a damaged row or page.
  error damaged(const std::string& what) const;

  /// The next `begin_write` makes the map larger.
  void want_growth() noexcept { growth_wanted_ = true; }

  MDB_env* raw() const noexcept { return env_; }
  const std::filesystem::path& file() const noexcept { return file_; }
  open_mode mode() const noexcept { return mode_; }
  transaction_gate& gate() noexcept { return gate_; }
  const transaction_gate& gate() const noexcept { return gate_; }
  std::mutex& writing() noexcept { return writing_; }
  std::uint64_t map_bytes() const noexcept;
  /// Where in the file something lies that a transaction shows; nothing if it is not in the map.
  std::optional<std::uint64_t> place_of(const std::uint8_t* shown) const noexcept;

  /// Tells who opened the store what was removed.
  void tell_removed(const lmdb_problem& x) const {
    if (options_.removed)
      options_.removed(x);
  }

  /// Gives the memory that shows the file back; the kernel keeps what it likes of the file, and
  /// brings it again when it is read.
  void forget_pages();

private:
  lmdb_env(std::filesystem::path directory, open_mode mode, const lmdb_options& options);

  status take_directory();
  status open_locks();
  status make_file() const;
  status open_map(std::uint64_t bytes);
  status grow(std::uint64_t to);
  int remap(std::uint64_t to, std::uint64_t before);
  status guard_map();
  status usable() const;

  std::filesystem::path directory_, file_;
  open_mode mode_;
  lmdb_options options_;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> registered_;
  int locks_ = -1; ///< LMDB's lock file, once more.
  MDB_env* env_ = nullptr;
  std::array<std::optional<unsigned>, tables> trees_;
  transaction_gate gate_;
  std::mutex writing_, growing_;
  std::atomic<bool> growth_wanted_{false}, lost_{false};
  map_guard guard_;
  void* mapped_ = nullptr; ///< Where the file is; only moved when nobody is inside the gate.
};

} // namespace troupe::storage
