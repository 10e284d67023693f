#pragma once

#include "actors/engine.hpp"
#include "messages/job.hpp"

namespace troupe::actors {

/// The door of the library: checks names, sizes and references of a job, makes a large input a
/// blob, and finds its graph. Errors: those of `runtime::submit`.
result<messages::submit_job> checked(const job_spec& spec, engine& engine);

} // namespace troupe::actors
