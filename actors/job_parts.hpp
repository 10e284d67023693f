#pragma once

#include "actors/job_actor.hpp"

/// What the parts of the job actor share: looking at the job, its timers, and the way to the
/// journal. Only the job's own actor calls it.
namespace troupe::actors {

using job_self = caf::stateful_actor<job_actor_state>*;

inline const core::job& job_of(job_self self) { return self->state.book->job(); }
inline environment& env_of(job_self self) { return *self->state.shard->env; }

/// The state of a vertex. Only once the job has begun.
inline core::vertex_state state_of(job_self self, core::vertex_index v) {
  return job_of(self).run->states[v];
}

/// How a vertex is run here.
const shape_traits& traits_of(job_self self, core::vertex_index v);

/// How the vertices of a shape are run on a node.
shape_traits make_traits(const environment& env, const core::vertex_shape& shape);

/// What is known of a vertex beyond its state; null if there is nothing.
const core::vertex_detail* detail_of(job_self self, core::vertex_index v);

/// Whether `proof` is of the vertex's current attempt.
bool is_current(job_self self, core::vertex_index v, const core::token& proof);

/// Sends `timer_due` when the timer of a vertex is due.
void arm(job_self self, core::vertex_index v);

/// Appends what was taken. Attempts that were just decided begin once that is durable; then `out`
/// is called.
void flush(job_self self, output out = {});

/// Flushes a group that should take no more. For whoever takes many decisions in one message.
void flush_if_full(job_self self);

} // namespace troupe::actors
