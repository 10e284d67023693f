#pragma once

#include "actors/job_parts.hpp"

/// How the vertices of a job start: which are ready, which have a slot, and who runs them.
namespace troupe::actors {

/// Whether the job is in a state in which its vertices start.
bool may_start(job_self self);

/// Starts all that is ready; what is left after some rounds has its turn in a message of its own.
void start_all(job_self self);

/// An attempt whose start is durable goes to its runner, unless it has ended since. Returns
/// whether it ended right here, which is to be recorded.
bool begin_attempt(job_self self, const messages::attempt_begins& m);

} // namespace troupe::actors
