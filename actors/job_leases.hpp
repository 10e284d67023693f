#pragma once

#include "actors/job_parts.hpp"
#include "messages/work.hpp"

/// Vertices of a job that workers outside run: offered to the work board, leased, and ended by
/// whoever has the lease, or without him.
namespace troupe::actors {

/// The vertex waits for a worker.
void offer(job_self self, core::vertex_index v);

/// If nothing may start now, what was offered is taken back; it is ready again.
void withdraw_offers(job_self self);

/// The board shall know of attempts that were leased before this actor was there.
void adopt_leases(job_self self);

/// Asks workers to end what they have, at most for `grace`; zero: they are not waited for.
void end_leases(job_self self, core::duration grace);

/// Workers are told what the job was told, and then is who has told it.
void tell_workers(job_self self, const messages::message_durable& m);

/// The attempt is not the worker's any more.
void drop_lease(job_self self, const core::token& proof);

/// A worker takes a vertex. Nothing is durable before the next `flush`, which is to call what
/// this returns.
output take_work(job_self self, const messages::take_work& m);

/// The lease is durable: the worker gets the vertex, unless its attempt has ended meanwhile.
void hand_over(job_self self, messages::work_leased& m);

/// A worker ends its attempt. As `take_work`.
output finish_work(job_self self, messages::finish_work& m);

/// A worker says something. As `take_work`.
output emit_work(job_self self, messages::emit_work& m);

/// The attempt ends without its worker, if it has not ended. As `take_work`.
output lease_over(job_self self, const messages::lease_over& m);

/// Whether the attempt goes on; the board shall know it.
output find_lease(job_self self, const messages::find_lease& m);

} // namespace troupe::actors
