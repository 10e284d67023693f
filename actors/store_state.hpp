#pragma once

#include "actors/store.hpp"
#include "storage/blob_sweeper.hpp"
#include "storage/scrub.hpp"

#include <optional>

namespace troupe::actors {

/// What the lag of the snapshot means for new jobs.
enum class lag_stage : std::uint8_t { none, slowed, refused };

/// How the store of a node is. A moment's numbers, for metrics and health.
struct store_state {
  storage::snapshot_lag lag;
  std::uint64_t blob_bytes_waiting = 0; ///< Values that are not written yet; counts as lag.
  lag_stage stage = lag_stage::none;
  status snapshot; ///< Why the snapshot is not written any more, if that is so.
  storage::journal_use journal;
  std::optional<storage::disk_state> disk; ///< Nothing in memory.
  storage::sweep_state sweep;
  std::optional<storage::scrub_state> scrub; ///< Nothing in memory.
};

/// What the store itself tells: all but what is swept and scrubbed.
store_state state_of(const store& x, std::uint64_t blob_bytes_waiting);

/// The stage of this much lag, blobs included.
lag_stage stage_of(const storage::snapshot_lag& lag, std::uint64_t blob_bytes) noexcept;

} // namespace troupe::actors
