#pragma once

#include "actors/environment.hpp"

#include <caf/scheduled_actor.hpp>

namespace troupe::actors {

/// Has whatever escapes a handler of `self` told to `env.report` and end the actor with
/// `exit_reason::unhandled_exception`, for its supervisor to see.
void report_faults(caf::scheduled_actor* self, const char* who, std::shared_ptr<environment> env);

} // namespace troupe::actors
