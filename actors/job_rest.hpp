#pragma once

#include "actors/job_parts.hpp"

/// How a job that waits for time alone gives up its actor: it records that it rests, and once that
/// is durable it tells its shard, hands back what still arrives, and ends.
namespace troupe::actors {

/// Decides a rest if nothing but time is waited for. What `out` waits for then leaves as before;
/// call it in place of `out`.
output rest_if_idle(job_self self, output out);

/// The record of a rest is durable: if nothing was recorded since, the job leaves.
void leave_if_at_rest(job_self self, const messages::rest_durable& m);

} // namespace troupe::actors
