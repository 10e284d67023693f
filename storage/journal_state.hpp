#pragma once

#include "storage/journal.hpp"
#include "storage/journal_start.hpp"
#include "storage/segment_file.hpp"

#include <deque>
#include <map>

namespace troupe::storage {

/// What is known of a segment: how far it is filled, and each shard's newest batch up to there.
struct segment_summary {
  std::uint32_t size = 0;
  std::uint32_t end = segment_header_bytes;
  std::map<core::shard_id, core::position> newest;
  std::uint32_t begin = segment_header_bytes; ///< What lies before is not read.
};

/// Some successive batches of a segment.
struct journal_stretch {
  resume_point before;
  disk_position begin;
  std::map<core::shard_id, core::position> newest;
};

/// What batches say in sum, up to `end`. A shard's `epoch` is the highest seen.
struct journal_state {
  std::map<core::shard_id, opened> shards;
  std::map<core::shard_id, core::position> trimmed;  ///< Up to here batches may be gone.
  std::map<std::uint64_t, segment_summary> segments; ///< Those in use, by number.
  disk_position end;       ///< Behind the last batch; segment 0 if there is none in use.
  disk_position synced;    ///< All before was synced when the last batch was written.
  std::uint32_t chain = 0; ///< The CRC of the last batch.
  std::uint32_t last = 0;  ///< Where it begins; 0 if the segment holds none.
  std::deque<journal_stretch> stretches;          ///< Of what was scanned or counted.
  std::map<std::uint64_t, std::uint32_t> nonzero; ///< From the last segment on: up to where.
  bool marked = false;                            ///< The last batch is a mark.
};

/// Takes a segment into use at the end of the one before.
void enter(journal_state& state, std::uint64_t number, std::uint32_t size);

/// Where an open may begin that knows all before `state.end`.
resume_point point_of(const journal_state& state);

/// Counts a batch that lies at `state.end`.
void count(journal_state& state, const batch_header& x, std::uint32_t crc);

/// Whether what is here of a shard continues a snapshot that has its batches up to `kept`.
/// Errors: `journal_corrupt` if batches are missing between them, or behind.
status continues(const journal_place& place, const journal_state& state, core::shard_id shard,
                 const opened& kept);

/// Whether what is here goes as far as a snapshot has seen it.
/// Errors: `journal_corrupt` if it ends before segment `at_least`.
status reaches(const journal_place& place, const journal_state& state, std::uint64_t at_least);

} // namespace troupe::storage
