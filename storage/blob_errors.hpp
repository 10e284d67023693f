#pragma once

#include "storage/blob_store.hpp"

namespace troupe::storage {

/// What every blob store tells in the same words.
error blob_too_large(std::uint64_t bytes, std::uint64_t bytes_max);
error blob_is_missing(const blob_key& key);

/// Whether what begins so is a graph, not a value.
bool is_graph(core::byte_view content);

} // namespace troupe::storage
