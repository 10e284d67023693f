#pragma once

#include "storage/blob_store.hpp"
#include "storage/data_dir.hpp"
#include "storage/data_pin.hpp"
#include "storage/disk_guard.hpp"
#include "storage/journal.hpp"
#include "storage/lmdb_tables.hpp"
#include "storage/snapshot_writer.hpp"
#include "storage/view.hpp"
#include "troupe/runtime.hpp"

#include <optional>

namespace troupe::actors {

/// One shard as its snapshot and its journal tell it.
struct opened_shard {
  storage::opened found;
  std::shared_ptr<storage::view> view;
};

/// Where a runtime keeps everything: a data directory, or memory.
struct store {
  std::shared_ptr<storage::data_dir> directory; ///< Null in memory.
  std::shared_ptr<storage::data_pin> pin;       ///< Null unless it was opened to read.
  std::shared_ptr<storage::disk_guard> guard;   ///< Null in memory, or if it was opened to read.
  std::shared_ptr<storage::blob_store> blobs;
  std::shared_ptr<storage::table_store> tables; ///< Null if there is no snapshot yet.
  std::shared_ptr<storage::lmdb_tables> file;   ///< The same, to write; null in memory.
  std::shared_ptr<storage::journal> journal;    ///< Null if it was opened to read.
  std::vector<opened_shard> shards;
  /// Not started. Null if it was opened to read.
  std::shared_ptr<storage::snapshot_writer> writer;

  /// Nothing waits for a full disk any more: it is about to be closed.
  void end_waits() const {
    if (guard)
      guard->end_waits();
  }
  /// Gives everything back, in order. No one may append any more; views answer `not_ready`.
  void close();
};

/// Opens the store: each shard's view has the snapshot and what the journal tells beyond it. A
/// data directory of an older format is brought to the newest one. The snapshot's map is at first
/// of `map_bytes`. Errors: those of `runtime::open`.
result<store> open_store(const runtime_config& config, const storage::snapshot_pace& pace = {},
                         std::uint64_t map_bytes = limits::snapshot_map_bytes);

/// Opens a data directory beside whoever writes to it: only views and blobs; all that they tell
/// is durable. Until it goes the owner removes nothing from the directory: do not keep it for long.
/// Errors: as `open_store`, but never `already_open`; `timed_out` if the owner hangs in a removal.
result<store> read_store(const std::filesystem::path& directory);

} // namespace troupe::actors
