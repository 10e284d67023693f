#pragma once

#include "actors/job_parts.hpp"

/// How the vertices of a job end: with a result, asked to, or lost. Nothing is durable before the
/// next `flush`.
namespace troupe::actors {

/// Decides the end of the attempt that `proof` is of; one that is not current is counted.
void end_attempt(job_self self, const core::token& proof, core::attempt_result r);

/// Decides the end of a pure attempt at a runner. False, and `r` stays as it is, if
/// `proof` is of none.
bool end_pooled(job_self self, const core::token& proof, core::attempt_result&& r);

/// Records pure results, in as many record groups as their size needs.
void record(job_self self, std::vector<core::attempt_result> results, core::duration took);

/// A vertex has ended or waits for its next attempt: its slot is free, its back-off runs.
void after_end(job_self self, core::vertex_index v);

/// Asks everything that runs to end. Timers and what no runner has yet end at once.
void end_running(job_self self, core::duration grace);

/// What runs is lost; in order, it does not count, and is asked to end before it is ended. The next
/// owner starts it again.
void lose_running(job_self self, bool counts);

/// Pure attempts at a runner are no longer wanted; nothing is recorded of them.
void drop_pooled(job_self self);

} // namespace troupe::actors
