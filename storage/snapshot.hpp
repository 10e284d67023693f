#pragma once

#include "storage/journal.hpp"
#include "storage/overlay.hpp"
#include "storage/tables.hpp"

#include <span>
#include <vector>

namespace troupe::storage {

/// Successive durable batches of one shard.
struct shard_window {
  core::shard_id shard{};
  std::vector<durable_batch> batches;
};

/// What a transaction of the snapshot has besides its windows.
struct apply_options {
  journal_seen seen; ///< Of the journal that the windows came from, once they are applied.
  /// Called just before the commit, maybe more than once.
  std::function<void()> before_commit;
};

/// Takes windows into the tables, together with the new applied positions, in one transaction. All
/// that a window tells of a job is folded first, so that each job is written once. Batches that
/// are applied already are passed over; a gap before one is a broken invariant. Errors: those of
/// `table_store`, `journal_corrupt`, `unknown_record`; then nothing has changed.
status apply_windows(table_store& to, std::span<const shard_window> windows,
                     const apply_options& options = {});

} // namespace troupe::storage
