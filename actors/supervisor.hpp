#pragma once

#include "core/supervision.hpp"

#include <caf/actor.hpp>
#include <caf/stateful_actor.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

/// A child of a supervisor: how to start it, again and again.
struct child_spec {
  std::string name;
  std::function<caf::actor(caf::local_actor*)> start;
  bool starts_again = true; ///< Else its first failure is one too many.
};

/// What a supervisor does with its children, each by itself (`one_for_one`).
struct supervision {
  core::restart_policy policy;
  std::vector<child_spec> children;
  /// A child failed too often. Called once, when the supervisor has ended all others; then it ends.
  std::function<void(const std::string& child)> escalate;
  /// A child failed and will be started again. May be empty.
  std::function<void(const std::string& child)> restarts{};
};

struct supervisor_state {
  static inline const char* name = "supervisor";

  struct child {
    child_spec spec;
    caf::actor actor;
    core::restart_window restarts;
  };

  supervision how;
  std::vector<child> children;
  std::optional<std::string> escalated; ///< The child that failed too often.
};

/// Starts its children and starts them again when they fail, after a back-off. A child that ends
/// with `exit_reason::normal` or `user_shutdown` was meant to. An exit message ends all.
caf::behavior supervisor(caf::stateful_actor<supervisor_state>* self, supervision how);

} // namespace troupe::actors
