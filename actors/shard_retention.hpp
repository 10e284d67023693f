#pragma once

#include "actors/shard_parts.hpp"

/// How ended jobs are deleted: each deletion is a record.
namespace troupe::actors {

/// Deletes what is not to be kept any longer: one step, and the next once that is durable, as long
/// as there is more.
void apply_retention(shard_self self);

/// Deletes the named jobs.
void delete_jobs(shard_self self, const messages::delete_jobs& m);

} // namespace troupe::actors
