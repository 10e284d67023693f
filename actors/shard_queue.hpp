#pragma once

#include "actors/shard_parts.hpp"

/// Pending jobs stand in their shard's queue; those that must have begun by a time expire.
namespace troupe::actors {

/// A job has become pending.
void enqueue(shard_self self, job_id id, core::shard_time expires_at);

/// A job that stood in the queue is no longer pending.
void dequeue(shard_self self, const core::job& x);

/// Takes the job whose turn it is out of the queue. Nothing: there is none, or it could not be read
/// and the shard has failed.
std::optional<job_book> take_next(shard_self self);

/// Fails one job that had to begin by now. False if there is none.
bool expire_one(shard_self self);

} // namespace troupe::actors
