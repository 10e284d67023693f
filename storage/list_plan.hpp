#pragma once

#include "storage/view.hpp"

namespace troupe::storage {

/// Keys of one index, or of a table of jobs, that end with the ids of jobs.
struct index_walk {
  table index{};
  core::bytes prefix;
  bool operator==(const index_walk&) const = default;
};

/// What a list has to walk: together these hold every job of the snapshot that the query may show,
/// and as few others as the counts promise. Empty if the snapshot has none. Errors: those of
/// `snapshot_read`.
result<std::vector<index_walk>> plan_list(const snapshot_read& from, const job_query& q);

} // namespace troupe::storage
