#pragma once

#include "core/decide.hpp"

namespace troupe::core {

/// Takes over what `earlier` recorded for vertices that neither are `from` nor depend on it, nor on
/// one that came to no result. `earlier` must be a job of the same graph. Errors:
/// `illegal_request`, `too_large` beyond what fits into one record group.
result<record_group> decide_reuse(const job& x, const job& earlier, vertex_index from,
                                  shard_time now);

/// Which outputs of `earlier` must lie in blobs first, for those that `decide_reuse` takes over to
/// fit: the largest, as few as possible. `earlier` has begun.
std::vector<vertex_index> bulky_outputs(const job& earlier, vertex_index from);

} // namespace troupe::core
