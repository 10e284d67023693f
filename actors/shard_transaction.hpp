#pragma once

#include "actors/shard_parts.hpp"

/// Rows and jobs of an embedder, in one record group.
namespace troupe::actors {

void write_rows(shard_self self, const messages::write_rows& m);

/// The job that the view knows for the request's idempotency key; nothing if there is none.
result<std::optional<keyed_request>> recorded_request(shard_self self,
                                                      const messages::submit_job& m);

} // namespace troupe::actors
