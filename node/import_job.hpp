#pragma once

#include "node/errors.hpp"
#include "storage/verify_job.hpp"

namespace troupe::node {

/// A job as an import takes it: its records, of this store's shards, without messages to others.
struct imported_job {
  core::record_group records;
  storage::job_row row;
};

/// Reads the records of one job and checks all that can be checked: checksums, that they are of
/// this job, that each fits what those before it made of the job, that its graph and its values are
/// in the store. Errors: `invalid_spec` that says what is wrong.
result<imported_job> read_job(job_id id, core::byte_view records,
                              const storage::job_surroundings& around);

} // namespace troupe::node
