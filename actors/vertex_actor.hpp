#pragma once

#include "actors/environment.hpp"

#include <caf/event_based_actor.hpp>

namespace troupe::actors {

/// Runs groups of pure vertices, of any job, one group after another: `run_vertices` is answered
/// with `vertices_done`. What a function throws is the failure of its vertex alone.
caf::behavior vertex_actor(caf::event_based_actor* self, std::shared_ptr<environment> env);

} // namespace troupe::actors
