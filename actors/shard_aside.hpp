#pragma once

#include "actors/shard_parts.hpp"

/// Jobs that are set aside: something of their own cannot be read (a value, a graph, a damaged
/// row). They have no actor and no place in their queue, and the others of the shard go on. Each is
/// tried again every `limits::aside_retry`, and at the next start; meanwhile it can be cancelled.
namespace troupe::actors {

/// Whether what could not be loaded concerns one job alone. All else is the store's trouble.
bool is_of_one_job(const error& why);

/// Sets a job aside that could not be loaded because of `why`: whoever waits for it is told, and
/// the node's log, once. `is_begun`: it had its turn in the queue. Errors: `why` itself, if it is
/// not this job's alone.
status set_aside(shard_self self, job_id id, const error& why, bool is_begun);

/// The job is tried again now. True if it stands in its queue again; else it is to be loaded.
bool queue_again(shard_self self, job_id id);

/// The job could be loaded, or has ended: it is aside no more. Nothing if it was not.
std::optional<job_aside> take_back(shard_self self, job_id id);

/// Ends a begun job that cannot be loaded whole. `moved`: its `cancel` or `stop`.
void end_aside(shard_self self, core::job x, core::record_group moved, const messages::move_job& m);

} // namespace troupe::actors
