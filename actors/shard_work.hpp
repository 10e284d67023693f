#pragma once

#include "actors/shard_parts.hpp"
#include "messages/work.hpp"

/// What workers say of attempts goes to the job. A job that has an attempt of a worker has an
/// actor; of any other the view tells whether the same has been said before.
namespace troupe::actors {

void finish_work(shard_self self, const messages::finish_work& m);
void emit_work(shard_self self, const messages::emit_work& m);
void find_lease(shard_self self, const messages::find_lease& m);

} // namespace troupe::actors
