#pragma once

#include "actors/store.hpp"
#include "storage/scrub.hpp"

namespace troupe::actors {

/// Reads and compiles graphs as they are stored: canonical JSON.
storage::graph_reader stored_graphs();

/// Starts the check that goes on beside the work of a data directory; null for a store in memory.
/// `report` is told what it finds, in text for people; it may be empty. It ends before the store.
std::unique_ptr<storage::scrubber> start_scrub(const store& of,
                                               std::function<void(const std::string&)> report);

} // namespace troupe::actors
