#pragma once

#include "actors/job_book.hpp"
#include "core/place.hpp"
#include "messages/job.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <deque>

namespace troupe::actors {

/// A job that has an actor.
struct live_job {
  caf::actor actor;
  core::restart_window restarts;
  bool over = false; ///< It has ended; the actor answers until its grace is over.
};

struct shard_actor_state {
  static inline const char* name = "shard";

  /// The jobs of a shard do not outlive it: they are started again by the next one.
  ~shard_actor_state();

  std::shared_ptr<shard_context> shard;
  core::random_bits random;
  core::id_source ids;
  std::map<job_id, job_book> waiting; ///< Pending, or paused before they ran.
  std::deque<job_id> queue;           ///< Those of `waiting` that are pending, in order.
  std::map<job_id, live_job> live;
  std::map<caf::actor_addr, job_id> by_address;
  std::map<job_id, core::job> held; ///< Recovered ones that wait for `release_job`.
  std::deque<std::pair<caf::actor_clock::time_point, job_id>> ended; ///< When their grace is over.
  std::size_t running = 0;
  std::function<void()> closing; ///< Set once the shard takes no more jobs.
};

/// Owns one shard: admits its jobs in order, supervises their actors (one for one), cleans up
/// after them, and lets outputs leave. `messages/job.hpp` has what it takes. It starts from the
/// view, once all that was appended is durable, also after a failure of its own.
caf::behavior shard_actor(caf::stateful_actor<shard_actor_state>* self,
                          std::shared_ptr<shard_context> shard);

} // namespace troupe::actors
