#pragma once

#include "storage/journal_scan.hpp"

#include <string>

/// Parts that the readers of a journal share.
namespace troupe::storage {

/// `journal_corrupt`, naming the place and what to do.
error damaged(const journal_place& place, std::uint64_t segment, std::uint32_t offset,
              const std::string& what);

/// Scans from where `state` ends; the journal begins at segment `first`. Errors: those of `scan`.
status scan_from(const journal_place& place, journal_state& state, std::uint64_t first,
                 tail_check tail);

/// A shard whose batches were all trimmed ended there. Errors: `journal_corrupt`.
status count_trimmed(const journal_place& place, journal_state& state, const journal_start& start);

} // namespace troupe::storage
