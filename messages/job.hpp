#pragma once

#include "core/decide.hpp"
#include "messages/end_waiter.hpp"
#include "troupe/job_spec.hpp"
#include "troupe/stats.hpp"
#include "troupe/transaction.hpp"

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>
#include <functional>
#include <memory>

/// What actors tell each other. Messages stay in one process: none can be serialized, on purpose.
/// Who asks gives a callback; it is called once, when what it tells is durable, on a thread of the
/// runtime, and must not block.
namespace troupe::messages {

template <class T>
using reply = std::function<void(const result<T>&)>;
using reply_status = std::function<void(const status&)>;

/// A job that was asked for with an idempotency key.
using troupe::submitted;

/// To a shard. Replies `accepted` with the job's id once it is durable, or `overloaded`,
/// `no_space`, `idempotency_conflict`, `illegal_request` (nothing to reuse), `journal_failed`;
/// `ended` once its end is durable. While the store lags the request waits at the shard.
struct submit_job {
  namespace_id ns{};
  core::job_added spec;
  std::shared_ptr<const core::graph> plan;
  std::shared_ptr<const core::job> earlier; ///< To reuse, from vertex `from` on; may be null.
  core::vertex_index from = 0;
  core::duration expires_after{}; ///< From its record on, unless `spec` says earlier; zero: never.
  std::shared_ptr<const void> held; ///< Keeps the blobs that the job will name; may be null.
  reply<submitted> accepted;
  reply<job_info> ended; ///< May be empty.
};

/// To a shard: rows and jobs of one queue, all or none. Replies what became of the jobs, in their
/// order, once all is durable, or `condition_failed`, `idempotency_conflict`, `too_large`,
/// `overloaded`, `no_space`, `journal_failed`.
struct write_rows {
  namespace_id ns{};
  std::string queue;
  std::vector<row_condition> conditions;
  std::vector<row_write> rows;
  std::vector<submit_job> jobs; ///< Without replies of their own; one that reuses, alone.
  reply<std::vector<submitted>> done;
};

/// To a shard: ended jobs are to be deleted. Replies how many were, once that is durable; one that
/// is gone or has not ended is left as it is, or, if `strict`, refused: `no_such_job`,
/// `illegal_request`. At most `limits::retention_step_jobs`.
struct delete_jobs {
  std::vector<job_id> jobs;
  std::string reason;
  bool strict = false;
  reply<std::size_t> done;
};

/// To a shard, which hands it on to the job. Replies `illegal_request`, `no_such_job`,
/// `journal_failed`, or no error once the step is durable.
struct move_job {
  job_id job;
  core::job_request on{};
  std::string reason;
  reply_status done;
};

/// To a shard, which hands it on to the job. Replies `illegal_request`, `no_such_job`,
/// `invalid_spec`, `too_large`, `journal_failed`, or no error once the message is durable and the
/// work board has it.
struct add_message {
  job_id job;
  std::string text;
  reply_status done;
};

/// From a job to itself: so many of its messages are durable.
struct message_durable {
  std::size_t count = 0;
  reply_status done;
};

/// To a shard, which hands it on. Replies what is known of the job.
struct get_job {
  job_id job;
  reply<job_info> done;
  bool result = true; ///< Whether the result is wanted, too, which may be large.
};

/// To a shard. Replies when the job has ended; `overloaded` if too many wait.
struct await_end {
  job_id job;
  end_waiter done;
};

/// To a shard, which hands it on. From the replied event number on, events go to the event ring;
/// those before it are in the view. 0: the job has ended, all are in the view.
struct watch_job {
  job_id job;
  reply<std::uint64_t> done;
};

/// To a shard: a recovered job that was held goes on. Replies `no_such_job` if none is held.
struct release_job {
  job_id job;
  reply_status done;
};

/// To a shard or the work board. Replies what it has to do.
struct report_load {
  reply<runtime_load> done;
};

/// To a shard: outputs may be released.
struct release_outputs {};

/// To a shard: what is not durable yet never will be if the journal fails now; stop taking jobs,
/// end what runs, and say when nothing runs any more.
struct close_shard {
  std::function<void()> done;
};

/// From a job to its shard: it has ended; the record is on its way.
struct job_over {
  job_id job;
};

/// From a job to its shard: it waits for time alone, which is durable. The shard hands on nothing
/// more, and lets it `leave`.
struct job_rests {
  job_id job;
  core::shard_time wake_at{}; ///< Zero: only a request wakes it.
};

/// From a shard to a job that rests: nothing follows this. What came before goes back to the shard.
struct leave {};

/// To a job: the record that it rests is durable; `at` is the number of its records by then.
struct rest_durable {
  std::uint64_t at = 0;
};

/// From a shard to itself: see which jobs have expired, have room to start or are to be woken.
struct admit_jobs {};

/// From a shard to itself: a job that rests is due at this time, or a pending one expires.
struct wake_jobs {
  core::shard_time at{};
};

/// From a shard to itself: go on reading what was left unfinished.
struct recover_jobs {};

/// From a shard to itself: look for ended jobs whose time is over; `retention_due`: again and
/// again.
struct apply_retention {};
struct retention_due {};

/// From a shard to itself: a step of its retention is durable; whether there may be more.
struct retention_applied {
  bool more = false;
};

/// From a shard to itself: after `delay`, this job's actor is to be started anew from its records,
/// or, if it failed too often, the job has failed.
struct restart_job {
  job_id job;
  bool escalate = false;
  core::duration delay{};
};

/// From a shard to itself: see which ended jobs have had their grace.
struct clean_up {};

/// To a job: its node ends in order. What runs is killed and recorded as lost without counting.
struct end_in_order {};

/// A pure vertex to be run.
struct pure_task {
  core::vertex_index vertex = 0;
  value inputs;
};

/// From a job to a vertex actor. Answered with `vertices_done`, in the same order.
struct run_vertices {
  caf::actor from;
  job_id job;
  namespace_id ns{};
  std::shared_ptr<const core::graph> plan;
  std::vector<pure_task> tasks;
};

/// From a vertex actor to a job: these have ended.
struct vertices_done {
  std::vector<core::attempt_result> results;
  core::duration took{};
};

/// To a job: the start record of this attempt is durable.
struct attempt_begins {
  core::vertex_index vertex = 0;
  core::token proof;
};

/// From a runner to a job: the attempt has ended.
struct attempt_done {
  core::token proof;
  core::attempt_result result;
};

/// From a runner to a job: the attempt said something, which waits to be taken.
struct attempt_said {
  core::vertex_index vertex = 0;
  core::token proof;
};

/// From a job to itself: a timer or back-off is over, unless its due time has changed.
struct timer_due {
  core::vertex_index vertex = 0;
  core::shard_time due{};
};

/// From a job to itself: see what can be started.
struct start_ready {};

} // namespace troupe::messages

#define TROUPE_MESSAGE(type)                                                                       \
  CAF_ADD_TYPE_ID(troupe, (troupe::messages::type))                                                \
  CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::messages::type)

CAF_BEGIN_TYPE_ID_BLOCK(troupe, caf::first_custom_type_id + 1000)
TROUPE_MESSAGE(submit_job)
TROUPE_MESSAGE(write_rows)
TROUPE_MESSAGE(delete_jobs)
TROUPE_MESSAGE(job_rests)
TROUPE_MESSAGE(leave)
TROUPE_MESSAGE(rest_durable)
TROUPE_MESSAGE(admit_jobs)
TROUPE_MESSAGE(wake_jobs)
TROUPE_MESSAGE(recover_jobs)
TROUPE_MESSAGE(apply_retention)
TROUPE_MESSAGE(retention_applied)
TROUPE_MESSAGE(retention_due)
TROUPE_MESSAGE(move_job)
TROUPE_MESSAGE(add_message)
TROUPE_MESSAGE(message_durable)
TROUPE_MESSAGE(get_job)
TROUPE_MESSAGE(await_end)
TROUPE_MESSAGE(watch_job)
TROUPE_MESSAGE(release_job)
TROUPE_MESSAGE(report_load)
TROUPE_MESSAGE(release_outputs)
TROUPE_MESSAGE(close_shard)
TROUPE_MESSAGE(job_over)
TROUPE_MESSAGE(restart_job)
TROUPE_MESSAGE(clean_up)
TROUPE_MESSAGE(end_in_order)
TROUPE_MESSAGE(run_vertices)
TROUPE_MESSAGE(vertices_done)
TROUPE_MESSAGE(attempt_begins)
TROUPE_MESSAGE(attempt_done)
TROUPE_MESSAGE(attempt_said)
TROUPE_MESSAGE(timer_due)
TROUPE_MESSAGE(start_ready)
CAF_END_TYPE_ID_BLOCK(troupe)

#undef TROUPE_MESSAGE
