#pragma once

#include "storage/blob_folders.hpp"
#include "storage/blob_store.hpp"

namespace troupe::storage {

/// A blob in a file that has no name yet. `folders` must outlive it.
/// Errors: `io_failed`, `no_space`.
result<std::unique_ptr<blob_sink>> begin_blob_file(blob_folders& folders,
                                                   std::shared_ptr<blob_pins> pins,
                                                   namespace_id space, std::uint64_t bytes_max);

} // namespace troupe::storage
