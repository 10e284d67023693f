#pragma once

#include "core/job.hpp"
#include "storage/sha256.hpp"

#include <optional>
#include <vector>

namespace troupe::storage {

/// What is known of a job without its vertices. `fold` alone changes it.
struct job_row {
  job_id id;
  namespace_id ns{};
  core::job_state state = core::job_state::pending;
  core::job_added spec; ///< Without its input.
  core::shard_time created{}, started{}, ended{};
  problem error; ///< Why it failed.
  /// When a passive job has to wake; zero: it is not passive, or only a request wakes it.
  core::shard_time wake_at{};
  std::uint64_t records = 0;        ///< How many it has; 0: there is no such job.
  std::uint64_t bytes = 0;          ///< Of its records.
  std::vector<sha256_digest> blobs; ///< Named by its records, its graph excluded; sorted.
  bool deleted = false;
  bool operator==(const job_row&) const = default;

  /// Whether there is such a job.
  bool there() const noexcept { return records > 0 && !deleted; }
};

/// Takes in one more record of the job, `bytes` of it encoded. Total and pure: what does not fit is
/// counted and otherwise ignored, as `core::apply` does it; without a `job_added` first there is no
/// job.
void fold(job_row& x, const core::record& r, std::size_t bytes);

/// Calls `each` for every blob that the record names, a graph excluded.
void each_blob(const core::record& r, const std::function<void(const core::blob_ref&)>& each);

/// The row as it stands in the tables, without its id, which is in the key.
core::bytes encode(const job_row& x);

/// Errors: `journal_corrupt`, `newer_format`.
result<job_row> decode_job_row(job_id id, core::byte_view in);

} // namespace troupe::storage
