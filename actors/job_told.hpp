#pragma once

#include "actors/environment.hpp"
#include "core/job.hpp"
#include "messages/job.hpp"

namespace troupe::actors {

/// Whether the result of a job need not be read from blobs, or there is none.
bool has_result(const core::job& x);

/// Answers what is known of a job, all of it durable. A result in blobs is read beside the actors,
/// if it is wanted.
void tell_job(const std::shared_ptr<environment>& env, core::job x, const messages::get_job& m);

} // namespace troupe::actors
