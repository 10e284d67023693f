#pragma once

#include "storage/blob_store.hpp"
#include "storage/data_dir.hpp"
#include "storage/journal.hpp"
#include "storage/view.hpp"
#include "troupe/runtime.hpp"

#include <optional>

namespace troupe::actors {

/// One shard as its journal tells it.
struct opened_shard {
  storage::opened found;
  std::shared_ptr<storage::view> view;
};

/// Where a runtime keeps everything: a data directory, or memory.
struct store {
  std::shared_ptr<storage::data_dir> directory; ///< Null in memory.
  std::shared_ptr<storage::blob_store> blobs;
  std::shared_ptr<storage::journal> journal;
  std::vector<opened_shard> shards;
};

/// Opens the store and reads every shard's journal into its view. Errors: those of
/// `runtime::open`.
result<store> open_store(const runtime_config& config);

/// Opens a data directory beside whoever writes to it: only views and blobs; all that they tell
/// is durable. Errors: as `open_store`, but never `already_open`.
result<store> read_store(const std::filesystem::path& directory);

} // namespace troupe::actors
