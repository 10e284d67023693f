#pragma once

#include "actors/shard_parts.hpp"

/// What is asked about single jobs. A job that has an actor is asked there; of any other, what the
/// view tells is the answer.
namespace troupe::actors {

void move_job(shard_self self, const messages::move_job& m);
void add_message(shard_self self, const messages::add_message& m);
void get_job(shard_self self, const messages::get_job& m);
void await_end(shard_self self, const messages::await_end& m);
void watch_job(shard_self self, const messages::watch_job& m);
void release_job(shard_self self, const messages::release_job& m);

} // namespace troupe::actors
