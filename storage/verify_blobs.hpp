#pragma once

#include "storage/backup_blobs.hpp"
#include "storage/verify_finding.hpp"

namespace troupe::storage {

/// Reads every blob and compares it with its name, also beside an owner that sweeps. Adds to `sum`.
/// Errors: `io_failed` if a directory cannot be listed.
status check_blobs(const blob_files& blobs, const std::function<void(std::uint64_t)>& progress,
                   blob_totals& sum, finding_list& to);

} // namespace troupe::storage
