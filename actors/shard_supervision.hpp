#pragma once

#include "actors/shard_parts.hpp"

/// What becomes of the actors of jobs: they are started again when they fail, and let go when their
/// job is over.
namespace troupe::actors {

/// A job's actor has ended. If it was not told to, it is started again after a while.
void job_down(shard_self self, const caf::down_msg& m);
void restart_job(shard_self self, const messages::restart_job& m);

/// A job has ended; its record is on its way.
void job_over(shard_self self, const messages::job_over& m);

/// Ended jobs lose their actors when their grace is over, or when there are too many of them.
void clean_up(shard_self self);

/// Lets go of the actor of a job that has ended, if it has one.
void drop_actor(shard_self self, job_id id);

} // namespace troupe::actors
