#pragma once

#include "actors/job_book.hpp"
#include "actors/shard_rows.hpp"
#include "core/admission.hpp"
#include "core/place.hpp"
#include "messages/job.hpp"

#include <caf/actor_clock.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <deque>
#include <set>

namespace troupe::actors {

/// A job that has an actor.
struct live_job {
  caf::actor actor;
  core::restart_window restarts;
  bool over = false; ///< It has ended; the actor answers until its grace is over.
};

/// A job that has ended and still has its actor.
struct ended_job {
  caf::actor_clock::time_point until; ///< When its grace is over.
  core::position at = 0;              ///< Where its end is recorded.
  job_id id;
};

/// A request that waits because the store lags.
struct slowed_request {
  caf::actor_clock::time_point due;
  std::function<void()> go;
};

/// A job that is set aside: something of its own cannot be read.
struct job_aside {
  error why = ec::none;
  bool is_begun = false;     ///< It had its turn in the queue.
  bool has_expired = false;  ///< It is not among those that expire any more.
  core::shard_time retry_at; ///< Among the resting ones; 0: it is being tried.
};

/// What was recorded, and what to forget of it once it is durable and the view tells it.
struct until_durable {
  core::position at = 0;
  std::function<void()> forget;
};

/// The reading of what an earlier owner of the shard left unfinished.
struct shard_recovery {
  bool done = false;
  job_id last;              ///< Unfinished jobs up to this one are in their places.
  job_id end;               ///< This one and later ones are made by this actor.
  core::pending_queue late; ///< What was submitted meanwhile; it stands behind what was left.
  std::multimap<job_id, std::function<void()>> early; ///< Requests for jobs not reached yet;
                                                      ///< at most `limits::early_requests_max`.
};

struct shard_actor_state {
  static inline const char* name = "shard";

  /// The jobs of a shard do not outlive it: they are started again by the next one.
  ~shard_actor_state();

  std::shared_ptr<shard_context> shard;
  core::random_bits random;
  core::id_source ids;
  core::pending_queue queue; ///< Pending jobs, in order. Everything else of them is in the view.
  core::wake_heap resting;   ///< Passive jobs that wake by themselves.
  core::wake_heap expiring;  ///< Those of `queue` that fail unless they have begun by then.
  std::set<core::shard_time> wakes_at; ///< When the shard looks at these two again.
  bool admits_more = false;            ///< It looks at once.
  std::map<job_id, live_job> live;
  std::map<caf::actor_addr, job_id> by_address;
  std::size_t running = 0;
  std::map<job_id, job_book> fresh; ///< Jobs without an actor, until the view tells what is new.
  fresh_rows rows;
  std::set<job_id> deleting;
  std::deque<until_durable> forgetting; ///< By position.
  std::deque<slowed_request> slowed;    ///< In the order of arrival.
  std::set<job_id> held;                ///< Recovered ones that wait for `release_job`.
  std::map<job_id, job_aside> aside;    ///< Those that cannot be loaded: `shard_aside.hpp`.
  std::deque<ended_job> ended;
  shard_recovery recovery;
  std::size_t ended_since = 0;     ///< Jobs that have ended since the retention was applied.
  bool deletes = false;            ///< A step of the retention is on its way to the disk.
  std::map<job_id, error> damaged; ///< Jobs that the last deletions left out.
  std::function<void()> closing;   ///< Set once the shard takes no more jobs.
};

/// Owns one shard: admits its jobs in order, supervises their actors (one for one), wakes those
/// that rest, cleans up after them, and lets outputs leave. `messages/job.hpp` has what it takes.
/// It starts from the view, once all that was appended is durable, also after a failure of its own.
caf::behavior shard_actor(caf::stateful_actor<shard_actor_state>* self,
                          std::shared_ptr<shard_context> shard);

} // namespace troupe::actors
