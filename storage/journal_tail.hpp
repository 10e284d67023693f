#pragma once

#include "storage/journal_start.hpp"
#include "storage/segment_format.hpp"

namespace troupe::storage {

struct journal_state;

/// How the zeros behind a journal are looked through. One write, the only one that can be torn,
/// reaches no further than `limits::journal_write_bytes_max`.
enum class tail_check {
  near,     ///< As far as one write reaches; further only if a page in each
            ///< `limits::journal_probe_step` shows that there is anything.
  thorough, ///< To the ends of the files.
};

/// What lies behind a place without a valid batch.
struct journal_tail {
  bool shows_synced = false; ///< A later write shows that the place had one, and was synced.
  std::map<std::uint64_t, std::uint32_t> nonzero; ///< Up to where a segment holds anything.
};

/// Looks at `suspect` and behind, in the segments with these numbers. Whatever is there is checked
/// by itself, as what is before it may be damaged. Errors: `journal_corrupt` if a file has a size
/// that no segment has; `io_failed`.
result<journal_tail> look_behind(const journal_place& place, disk_position suspect,
                                 const std::vector<std::uint64_t>& numbers, tail_check check);

/// Makes what `scan` found durable and the rest zeros: cuts the torn tail. For the only writer.
/// Errors: `io_failed`, `no_space`.
status settle(const journal_place& place, const journal_state& state);

} // namespace troupe::storage
