#pragma once

#include "storage/data_dir.hpp"
#include "storage/sha256.hpp"
#include "troupe/ids.hpp"
#include "troupe/limits.hpp"

#include <memory>

namespace troupe::storage {

/// Values that are too large for records, and graphs: per namespace, named by their content.
/// Thread-safe; calls block on the disk.
class blob_store {
public:
  virtual ~blob_store() = default;

  /// Makes `data` durable, file and directories, then returns its name. One that is there is not
  /// written again. Errors: `too_large` beyond `bytes_max`, `io_failed`, `no_space`.
  virtual result<sha256_digest> put(namespace_id space, core::byte_view data,
                                    std::size_t bytes_max = limits::value_bytes_max) = 0;

  /// The content. Errors: `blob_missing`; `journal_corrupt` if it does not fit its name;
  /// `io_failed`.
  virtual result<core::bytes> get(namespace_id space, const sha256_digest& name) = 0;
};

/// The blobs of a data directory, which must outlive the store. One that is open for writing is
/// rid of what a crash left half written; one open for reading refuses `put` with `unsupported`.
/// Errors: `io_failed`, `no_space`.
result<std::unique_ptr<blob_store>> open_blob_store(const data_dir& directory);

/// Keeps blobs in memory, for runs without durability.
std::unique_ptr<blob_store> memory_blob_store();

} // namespace troupe::storage
