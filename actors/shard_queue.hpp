#pragma once

#include "actors/shard_parts.hpp"

/// Pending jobs stand in their shard's queue; those that must have begun by a time expire.
namespace troupe::actors {

/// A job has become pending.
void enqueue(shard_self self, job_id id, core::shard_time expires_at);

/// A job that stood in the queue, or was set aside before its turn, is no longer pending.
void dequeue(shard_self self, const core::job& x);

/// Gives the job whose turn it is an actor, unless it is set aside. False: none is left, or the
/// shard has failed.
bool begin_next(shard_self self);

/// Fails one job that had to begin by now. False if there is none, or the shard has failed.
bool expire_one(shard_self self);

} // namespace troupe::actors
