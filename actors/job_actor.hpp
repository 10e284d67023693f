#pragma once

#include "actors/job_book.hpp"
#include "actors/said_text.hpp"
#include "messages/work.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <deque>
#include <map>
#include <set>

namespace troupe::actors {

/// How the vertices of one shape are run here.
struct shape_traits {
  core::execution how = core::execution::attempt;
  bool holds_slot = true;
  attempt_runner* runner = nullptr; ///< Null: inline, a timer, or a kind that is not known here.
  std::optional<core::payload> constant; ///< What a `noop` gives; it needs no one to run it.
};

/// A pure attempt that a runner has; nothing is recorded before its end.
struct pooled_attempt {
  core::vertex_index vertex = 0;
  core::shard_time started{};
};

/// A vertex that waits for a slot.
struct waiting_vertex {
  core::vertex_index vertex = 0;
  core::shard_time since{};
};

struct job_actor_state {
  static inline const char* name = "job";

  std::shared_ptr<shard_context> shard;
  std::optional<job_book> book;
  core::random_bits random;
  std::vector<shape_traits> traits;                         ///< By shape.
  std::deque<core::vertex_index> ready;                     ///< To be started, in order.
  std::deque<waiting_vertex> blocked;                       ///< Ready, too, but for want of a slot.
  std::set<core::vertex_index> holders;                     ///< Vertices that hold a slot.
  std::map<core::token, pooled_attempt> pooled;             ///< Pure attempts at a runner.
  std::map<core::token, core::vertex_index> begun;          ///< Impure attempts that a runner has.
  std::map<core::token, std::shared_ptr<said_text>> saying; ///< What these have to tell.
  std::shared_ptr<said_budget> said_left;                   ///< Of all of them.
  std::vector<messages::attempt_begins> beginning;          ///< Decided by the current message.
  std::map<core::vertex_index, core::shard_time> offered;   ///< To workers; since when.
  bool held_back = false;                                   ///< Until fewer blobs wait.
  bool ending = false;                                      ///< What ran was told to end.
  bool over = false;                ///< The shard knows that the job has ended.
  std::set<core::vertex_index> due; ///< Back-offs that are over, until the attempt has ended.
  std::set<std::pair<core::shard_time, core::vertex_index>> armed; ///< Timers that will be due.
  std::uint64_t rested_at = 0;  ///< What `book->taken()` was when it decided to rest.
  messages::told_messages told; ///< What is durable of the job's messages; null: nothing.
  bool woken = false;           ///< It was just woken from a rest, for something.
};

/// Owns one job: starts its vertices as they become ready, records what comes of them, and tells
/// its shard when it is over. `messages/job.hpp` has what it takes. Any exception ends it; its
/// shard starts it again from its records. One that was `woken` from a rest does not rest before it
/// has got a message.
caf::behavior job_actor(caf::stateful_actor<job_actor_state>* self,
                        std::shared_ptr<shard_context> shard, job_book book, bool woken);

} // namespace troupe::actors
