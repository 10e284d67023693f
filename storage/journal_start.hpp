#pragma once

#include "core/types.hpp"
#include "storage/file.hpp"
#include "storage/node_identity.hpp"

#include <map>

namespace troupe::storage {

/// Where the segments of a journal are and whose they are.
struct journal_place {
  file_ops* files = nullptr;
  std::filesystem::path directory;
  node_identity owner;
  std::uint16_t shards = 0;
};

/// Where a journal begins: what was trimmed is not missing. Kept in `START`, two slots that are
/// written in turn, so that one is always whole, and in place, so that a full disk is no obstacle.
struct journal_start {
  std::uint64_t sequence = 0; ///< Counts the writes; the higher one counts.
  std::uint64_t first = 1;    ///< The first segment that is needed; older ones are left over.
  std::map<core::shard_id, core::position> trimmed; ///< Up to here nothing need be here.

  bool operator==(const journal_start&) const = default;
};

/// What stands in `START`; the default if there is no such file. A writer may be at work.
/// Errors: `journal_corrupt`, `wrong_node`, `newer_format`, `io_failed`.
result<journal_start> read_start(const journal_place& place);

/// Makes `x` durable with the next sequence. For the only writer. Errors: `io_failed`, `no_space`.
status write_start(const journal_place& place, journal_start& x);

/// Makes durable what `read_start` tells: a process may have died between writing and syncing it,
/// and what it tells is gone must not come back. For the only writer. Errors: as `read_start`.
status settle_start(const journal_place& place);

/// The numbers of the segments from `first` on, in order, without a gap.
/// Errors: `journal_corrupt` if one is missing, `io_failed`.
result<std::vector<std::uint64_t>> needed_segments(const journal_place& place, std::uint64_t first);

} // namespace troupe::storage
