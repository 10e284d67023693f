#pragma once

#include "storage/overlay.hpp"
#include "storage/snapshot_read.hpp"

namespace troupe::storage {

/// The day of a time, counted from 1970.
std::uint32_t day_of(core::shard_time x) noexcept;

/// Writes what a window tells of jobs: their rows, records, index entries, the keys of their
/// requests and all counts. Errors: those of `table_writer`, `journal_corrupt`.
status write_jobs(table_writer& to, core::shard_id shard, const overlay& window);

} // namespace troupe::storage
