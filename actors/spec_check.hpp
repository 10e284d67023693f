#pragma once

#include "actors/engine.hpp"
#include "messages/job.hpp"

namespace troupe::actors {

/// The door of the library: checks names, sizes and references of a job, makes a large input a
/// blob, and finds its graph. Errors: those of `runtime::submit`.
result<messages::submit_job> checked(const job_spec& spec, engine& engine);

/// The same for a transaction: its keys, contents, and jobs. Errors: those of `runtime::transact`.
result<messages::write_rows> checked(const transaction& x, engine& engine);

/// The SHA-256 of all that makes a job what it is: requests with the same one are the same.
core::bytes digest_of(const job_spec& spec);

} // namespace troupe::actors
