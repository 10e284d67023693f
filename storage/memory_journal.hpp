#pragma once

#include "storage/journal.hpp"

#include <memory>

namespace troupe::storage {

/// A journal that keeps nothing, for runs without durability. `append` calls `then` before it
/// returns, so the caller must hold no lock that `then` takes. `read` has nothing to give: it
/// answers `unsupported` for a shard that has batches. Thread-safe.
std::unique_ptr<journal> memory_journal();

} // namespace troupe::storage
