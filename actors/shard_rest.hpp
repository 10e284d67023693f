#pragma once

#include "actors/shard_parts.hpp"

/// Jobs that rest: no actor, no memory but when they wake.
namespace troupe::actors {

/// A job waits for time alone: it no longer counts as running.
void job_rests(shard_self self, const messages::job_rests& m);

/// Has the shard look again when the next job that rests is due, if there is room for it, or the
/// next pending one expires.
void arm_wake(shard_self self);

/// A job is due: it gets an actor again.
void wake_due(shard_self self, const core::wake_heap::entry& due);

/// A job that rests, or is set aside, does not wake by itself any more.
void forget_wake(shard_self self, const core::job& x);

/// A job that rests gets an actor for a request. `x` is the job, without what lies in blobs.
status wake(shard_self self, const core::job& x);

} // namespace troupe::actors
