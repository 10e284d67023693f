#pragma once

#include "storage/blob_store.hpp"

namespace troupe::storage {

/// What every blob store tells in the same words.
error blob_too_large(std::uint64_t bytes, std::uint64_t bytes_max);
error blob_is_missing(const blob_key& key);

} // namespace troupe::storage
