#pragma once

#include "actors/shard_parts.hpp"

/// Which jobs come in, and which have their turn.
namespace troupe::actors {

/// A new job is recorded, slowed while the store lags, or refused.
void submit(shard_self self, const messages::submit_job& m);

/// Why a request is refused whatever it is; nothing if it is not. Only `new_jobs` need a disk with
/// room for them.
std::optional<error> refusal(shard_self self, bool new_jobs);

/// How long a request waits while the store lags; nothing if it goes at once.
std::optional<core::duration> delay_now(shard_self self);

/// Has `go` called after the delay, behind those that wait already. Calls `refuse` instead, on the
/// spot, with `overloaded`, if too many wait.
void slow(shard_self self, core::duration delay, std::function<void()> go,
          const std::function<void(const error&)>& refuse);

/// Whether one more job may run.
bool has_room(shard_self self);

/// Takes the requests whose delay is over.
void go_on_slowed(shard_self self);

/// Fails pending jobs that have expired; then starts jobs whose time has come, then pending ones in
/// order, as long as there is room; the hand-over is a record. At most
/// `limits::admissions_per_turn`; the rest in a later turn.
void admit(shard_self self);

/// A new job as it will be recorded.
struct new_job {
  core::record added;
  core::job job;
};
new_job make_job(shard_self self, const messages::submit_job& m);

/// One that begins at once with the results of an earlier job, which the request must have;
/// `before` goes first in its group. Nothing of it is appended. Errors: `illegal_request`, if there
/// is nothing to reuse; `overloaded`, if there is no room for one more that runs.
result<job_book> make_begun(shard_self self, const messages::submit_job& m,
                            const core::record_group& before);

/// What an idempotency key stands for.
struct known_request {
  submitted job;
  core::position at = 0; ///< To be told once this is durable.
};
/// Looks the request's key up; nothing if it has none, or a new one. Errors:
/// `idempotency_conflict`, and those of the store.
result<std::optional<known_request>> find_request(shard_self self, const messages::submit_job& m);

/// The key of a job that was just recorded at `at`.
void remember_request(shard_self self, const messages::submit_job& m, job_id id, core::position at);

} // namespace troupe::actors
