#pragma once

#include "actors/kinds/attempt_runner.hpp"
#include "actors/kinds/waiting_line.hpp"
#include "core/attempt_clock.hpp"
#include "troupe/caf.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace troupe::actors {

/// An attempt of an `actor` vertex, until it is reported.
struct actor_call {
  attempt what;
  attempt_runner::report done;
  attempt_runner::log say;
  std::string name;                        ///< Of the entry.
  caf::actor with;                         ///< Who has it; null: it waits.
  std::optional<core::attempt_clock> time; ///< Since an actor has it.
  core::early_end told{};                  ///< Why that was asked to end.
};

struct dispatcher_state {
  static inline const char* name = "actor_dispatcher";

  struct entry {
    caf::actor actor; ///< Null once it is down.
    std::size_t parallel_max = 1;
    std::size_t running = 0;
    waiting_line<std::shared_ptr<actor_call>> waiting;
  };

  std::map<std::string, entry> entries;
  std::map<core::token, std::shared_ptr<actor_call>> running;
};

/// Hands attempts to the actors of a host: each to the one of its name, at most as many at once
/// as that takes.
caf::behavior actor_dispatcher(caf::stateful_actor<dispatcher_state>* self,
                               const std::vector<actor_entry>& entries);

} // namespace troupe::actors
