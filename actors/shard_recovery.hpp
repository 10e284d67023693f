#pragma once

#include "actors/shard_parts.hpp"

/// How a shard takes over what its journal tells: unfinished jobs go on, in the order of their ids,
/// some in each turn, so that requests and the first jobs do not wait for all of them.
namespace troupe::actors {

/// Starts the recovery and does its first turn. Errors: the first job that cannot be read.
status recover(shard_self self);

/// Does the next turn. Errors: as `recover`.
status recover_some(shard_self self);

/// Whether the job is one that the recovery has still to come to.
bool not_reached(shard_self self, job_id id);

/// Gives an unfinished job its place again: in its queue, at rest, or with an actor.
status place_again(shard_self self, job_id id);

/// Whether a job has left its queue: an actor owns it unless it rests.
inline bool begun(const core::job& x) { return x.run || core::is_being_ended(x); }

/// Keeps a request for a job that the recovery has not reached yet; `overloaded` if too many wait.
template <class Message>
void wait_until_reached(shard_self self, const Message& m,
                        void (*handle)(shard_self, const Message&)) {
  auto& early = self->state.recovery.early;
  if (early.size() >= limits::early_requests_max)
    return m.done(error{ec::overloaded, "the jobs are still being recovered and "
                                            + std::to_string(early.size())
                                            + " requests wait for them already; repeat after a "
                                              "while"});
  early.emplace(m.job, [self, m, handle] { handle(self, m); });
}

} // namespace troupe::actors
