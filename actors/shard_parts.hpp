#pragma once

#include "actors/shard_actor.hpp"

/// What the parts of the shard actor share. Only the shard's own actor calls it.
namespace troupe::actors {

using shard_self = caf::stateful_actor<shard_actor_state>*;

inline shard_context& shard_of(shard_self self) { return *self->state.shard; }
inline const actor_settings& settings_of(shard_self self) { return shard_of(self).env->settings; }

/// The job as the view tells it, without what lies in blobs. Errors: `no_such_job`,
/// `no_such_graph`, `journal_corrupt`, `io_failed`.
result<core::job> load_job(shard_self self, job_id id);

/// The same with what lies in blobs, unless it is ending, which needs none of that: for an actor.
/// Errors: also `blob_missing`.
result<core::job> load_whole(shard_self self, job_id id);

/// Gives a job an actor of its own; it counts as running.
void start_job(shard_self self, job_book book, bool woken = false);

/// Keeps the book of a job that has no actor until the view tells what it recorded.
void keep(shard_self self, job_book book);

/// Calls `forget` in a turn of the shard once `at` is durable and the view has it.
void when_durable(shard_self self, core::position at, std::function<void()> forget);

/// Forgets what has become durable.
void forget_durable(shard_self self);

/// No worker gets anything of the job any more, or is told that it still has it.
void forget_work(const environment& env, const core::job& x);

/// The store cannot be read: the shard records nothing more, everything is answered with `why`,
/// and the node's log is told.
void fail_shard(shard_self self, const error& why);

/// The queue that a pending job stands in.
core::pending_queue& queue_of(shard_self self, job_id id);

} // namespace troupe::actors
