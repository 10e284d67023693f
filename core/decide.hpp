#pragma once

#include "core/job.hpp"

namespace troupe::core {

// A decision says what would come of a request, as records, and changes nothing. It may use all
// that it is given; whatever matters later stands in the records.

/// Moves the job by `on`; what follows at once (nothing runs any more) is in the group, too.
/// Errors: `illegal_request`, whose detail names both states; `too_large` for a reason of more than
/// `limits::reason_bytes_max`; `invalid_spec` if it is no UTF-8.
result<record_group> decide_move(const job& x, job_request on, std::string reason, shard_time now);

/// Tells the job something new, which it keeps while it waits. Errors: `illegal_request`, whose
/// detail names the state, if it has ended or is about to; `invalid_spec` for a text that is empty
/// or no UTF-8; `too_large` beyond `limits::job_messages_max` or `limits::job_messages_bytes_max`.
result<record_group> decide_message(const job& x, std::string text, shard_time now);

/// Starts an attempt of a vertex that is ready, or whose back-off is over. Errors:
/// `illegal_request`.
result<record_group> decide_start(const job& x, vertex_index v, shard_time now,
                                  random_bits& random);

/// A worker outside takes a vertex that is ready, or whose back-off is over. Errors:
/// `illegal_request`.
result<record_group> decide_lease(const job& x, vertex_index v, duration lease, std::string worker,
                                  shard_time now, random_bits& random);

/// Whether new attempts may start and failed ones be repeated.
bool goes_on(const job& x);

/// Positions among the outgoing edges of `v` whose condition is false of what they would carry.
std::vector<std::uint32_t> untaken_of(const job& x, vertex_index v, const value& output,
                                      bool failed);

/// At most so many bytes of a record tell which edges from `v` are not taken.
std::size_t untaken_bytes(const job& x, vertex_index v);

/// What a runner says of an attempt; `took`, `retry_at` and `untaken` are decided here.
struct attempt_result {
  vertex_index vertex = 0;
  attempt_end outcome{};
  payload output;
  problem error;
};

/// The attempt with this token has ended. Errors: `stale_token`.
result<record_group> decide_attempt_ended(const job& x, const token& proof, attempt_result r,
                                          shard_time now, random_bits& random);

/// What an attempt is told whose token is not its vertex's current one: `stale_token`.
error stale_attempt();

/// What is answered about a job that is not there, or is not for who asks.
error no_such_job(job_id id);

/// Whether just this end of just this attempt has been recorded: who reports it again is answered
/// as before.
bool has_recorded(const job& x, const token& proof, const attempt_result& r);

/// Pure vertices have ended, each having taken `took`; those that could not start now are left
/// out. Each vertex at most once. Empty if none is left.
record_group decide_vertices_ended(const job& x, std::vector<attempt_result> results, duration took,
                                   shard_time now, random_bits& random);

/// The attempt's node is gone: the vertex is ready again, or has failed after
/// `limits::redeliveries_max` of these. While the job is ending, it is cancelled. Errors:
/// `stale_token`.
result<record_group> decide_lost(const job& x, vertex_index v, bool counts, shard_time now);

/// An attempt said something. Empty once the job's budget is used up. `last`: nothing that comes
/// later is kept, as if the budget ended here. Errors: `stale_token`.
result<record_group> decide_said(const job& x, vertex_index v, const token& proof, std::string text,
                                 shard_time now, stream_kind kind = stream_kind::log,
                                 bool last = false);

/// The same by a worker, which numbers what it says from 1 in each attempt: a repeated number is
/// not recorded again. Errors: `stale_token`; `illegal_request` if numbers were left out.
result<record_group> decide_emitted(const job& x, vertex_index v, const token& proof,
                                    std::uint64_t number, stream_kind kind, std::string text,
                                    shard_time now);

/// The end of the job, if nothing is left that could happen. Empty if not.
record_group settle(const job& x, shard_time now);

/// What has to be started, timed or ended again, derived from the state alone. Of a job that is
/// ending or failing, every attempt is lost, timers too.
struct resumption {
  std::vector<vertex_index> ready;  ///< To be started.
  std::vector<vertex_index> lost;   ///< Whose attempts are gone: `decide_lost`.
  std::vector<vertex_index> timers; ///< Running timers and back-offs: see `details[v].due`.
  std::vector<vertex_index> leased; ///< Whose attempts workers outside may still have.
};
resumption resume(const job& x);

/// The delay before attempt `failed + 1`: full jitter over an exponential back-off.
duration backoff(const retry_spec& retry, std::uint32_t failed, random_bits& random);

/// A record of this job.
record record_for(const job& x, shard_time at, record_body body);

/// Shown each record that has just been applied, and what it did to vertices.
using witness = std::function<void(const record&, const changes&)>;

/// Applies what was decided, and the job's end if it follows. Returns the whole group.
record_group transact(job& x, record_group decided, shard_time now, const witness& told);

} // namespace troupe::core
