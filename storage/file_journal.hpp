#pragma once

#include "storage/data_dir.hpp"
#include "storage/disk_guard.hpp"
#include "storage/journal.hpp"
#include "troupe/limits.hpp"

#include <map>
#include <memory>

namespace troupe::storage {

/// What may be chosen for a file journal.
struct file_journal_options {
  std::uint32_t segment_bytes_first = limits::segment_first_bytes; ///< Multiples of
  std::uint32_t segment_bytes_max = limits::segment_bytes_max;     ///< `segment_grain_bytes`.
  /// The newest one that a snapshot knows of (`journal_use`): without it the journal is damaged.
  std::uint64_t newest_segment_at_least = 0;
  disk_guard* guard = nullptr; ///< Must outlive the journal.
  /// How long a new segment is waited for: with a guard while the disk is full, in any case while
  /// the process or the system has too few descriptors or too little memory to open it.
  std::chrono::milliseconds space_wait = std::chrono::milliseconds::max();
};

/// Opens the journal of a node: one file of written zeros after another, for all shards, with one
/// thread that writes. While one sync runs, what arrives gathers for the next. What was
/// acknowledged is checked, a torn tail is cut, and all is durable, before this returns. Segments
/// that were trimmed become new ones, so that a full disk does not end it; some are kept for that.
///
/// `then` of `append` runs on the writer thread: it must be quick, and call only `append`.
/// `journal::open` waits until what was appended is answered. The last write may be torn without
/// being acknowledged, so damage to it is cut, too; damage before it, and to any write of a
/// journal that was closed, is told. The directory must outlive the journal.
/// What a snapshot holds is not read again if it tells where to begin (`known`): damage there is
/// for `journal_reader` to find, and nobody reads it here.
/// Errors: `journal_corrupt`, `wrong_node`, `newer_format`, `io_failed`, `no_space`.
result<std::unique_ptr<journal>> open_file_journal(const data_dir& directory,
                                                   const file_journal_options& options = {},
                                                   const journal_applied& known = {});

/// Reads a journal, also beside the process that writes it and trims it. Never writes. For one
/// thread. Who joins what it reads with a snapshot holds a `data_pin`.
class journal_reader {
public:
  /// Takes in what was written since; all that is seen then is durable.
  /// Errors: as `open_journal_reader`.
  status refresh();

  /// Whether the journal goes as far as a snapshot has seen it (`newest_segment`); takes in what
  /// was written since, if that is needed. Errors: `journal_corrupt` if files of it are missing;
  /// as `open_journal_reader`.
  status reach(std::uint64_t segment);

  /// Each shard's newest batch at the last `refresh`.
  std::map<core::shard_id, core::position> heads() const;

  /// Up to which batch of each shard some may be gone, at the last `refresh`.
  std::map<core::shard_id, core::position> trimmed() const;

  /// Hands each batch of `shard` from `from` up to its head to `each`, in order; stops at its
  /// first error. Errors: `journal_corrupt`, also if `from` was trimmed before the `refresh`;
  /// `not_ready` if it was trimmed since; `io_failed`, and those of `each`.
  status read(core::shard_id shard, core::position from, const journal::reader& each) const;

  journal_reader(journal_reader&&) noexcept;
  ~journal_reader();

private:
  struct state;
  explicit journal_reader(std::unique_ptr<state> state);
  friend result<journal_reader> open_journal_reader(const data_dir& directory);

  std::unique_ptr<state> state_;
};

/// Errors: `journal_corrupt`, `wrong_node`, `newer_format`, `io_failed`.
result<journal_reader> open_journal_reader(const data_dir& directory);

} // namespace troupe::storage
