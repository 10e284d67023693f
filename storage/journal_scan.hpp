#pragma once

#include "storage/journal_state.hpp"
#include "storage/journal_tail.hpp"

namespace troupe::storage {

/// Goes on from `state.end` to the first place that holds no valid batch. What lies behind it may
/// be torn, as no sync ever covered it, but if a later write shows that it was synced, it is
/// damaged. A writer may be at work beside this, and trim what `state` knows: it is forgotten, too.
/// Does not sync what it found.
/// Errors: `journal_corrupt`, `wrong_node`, `newer_format`, `io_failed`.
status scan(const journal_place& place, journal_state& state,
            tail_check tail = tail_check::thorough);

/// As `scan` for the only writer, but what the snapshot holds is not read; all of it is if `known`
/// does not fit. Errors: as there.
result<journal_state> scan_behind(const journal_place& place, const journal_applied& known);

/// Hands the batches of each shard in `next`, from there up to `state`'s head, to `each`: each
/// shard's in order, those of different shards as they lie in the files, which are read once.
/// Errors: `journal_corrupt`, also if `next` was trimmed; `not_ready` if its writer trimmed it
/// since `state` was scanned; `io_failed`, and those of `each`.
status read_batches(const journal_place& place, const journal_state& state, journal::positions next,
                    const journal::reader& each);

} // namespace troupe::storage
