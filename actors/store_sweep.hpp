#pragma once

#include "actors/environment.hpp"
#include "actors/store.hpp"
#include "storage/blob_sweeper.hpp"

namespace troupe::actors {

/// Starts the hourly sweep of the blobs that no job names any more. `report` is told why it cannot
/// be made, in text for people; it may be empty. It ends before the shards and the store.
std::unique_ptr<storage::blob_sweeper>
start_sweep(const store& of, const std::vector<std::shared_ptr<shard_context>>& shards,
            std::function<void(const std::string&)> report);

} // namespace troupe::actors
