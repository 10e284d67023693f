#pragma once

#include "actors/environment.hpp"
#include "core/work_lines.hpp"
#include "messages/work.hpp"

#include <caf/actor_clock.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

namespace troupe::actors {

inline constexpr std::size_t work_asked_first = 4; ///< Vertices of unknown size, at once.

/// A worker that waits.
struct waiting_fetch {
  messages::fetch_work request;
  std::vector<messages::leased_work> got; ///< Their leases are durable.
  std::size_t bytes = 0;                  ///< Of their inputs.
  std::size_t asked = 0;                  ///< Jobs that have not answered yet.
  bool late = false;                      ///< It does not wait for more.
};

/// What a worker has.
struct held_lease {
  caf::actor job;
  namespace_id ns{};
  core::work_key what;
  core::duration term{};
  caf::actor_clock::time_point until;
  bool cancelled = false;
  messages::told_messages told; ///< For its worker; null: nothing.
};

struct work_board_state {
  static inline const char* name = "work_board";

  core::work_lines lines;
  std::map<job_id, caf::actor> jobs; ///< Of what stands in lines.
  std::map<std::uint64_t, waiting_fetch> fetches;
  std::map<core::work_place, std::set<std::uint64_t>> waiting; ///< Fetches by what they want.
  std::map<core::token, held_lease> leases;
};

/// Brings workers and vertices of kind `worker` together, and watches over leases. It holds
/// nothing that is not derived from jobs, who tell it again after a restart. `messages/work.hpp`
/// has what it takes. Its end is an escalation: nobody could be given work any more.
caf::behavior work_board(caf::stateful_actor<work_board_state>* self,
                         std::shared_ptr<environment> env);

} // namespace troupe::actors
