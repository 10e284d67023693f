#pragma once

#include "core/decide.hpp"
#include "core/kind_catalog.hpp"
#include "core/work_lines.hpp"
#include "messages/job.hpp"
#include "troupe/work.hpp"

/// What the work board, jobs and shards tell each other about vertices that workers run.
namespace troupe::messages {

/// What a job was told, all of it durable. Never null where there is something.
using told_messages = std::shared_ptr<const std::vector<std::string>>;

/// A vertex as a worker gets it; its token is not text yet.
struct leased_work {
  work_item item;
  core::token proof;
  core::vertex_index vertex = 0;
  told_messages told; ///< Of the job; null: nothing.
};

/// To the board. Replies what was leased, once that is durable: nothing if there was no work in
/// time, or it was taken back by `drop_fetch`; `overloaded` if too many wait.
struct fetch_work {
  std::uint64_t fetch = 0; ///< Counts the engine's fetches.
  work_request what;
  reply<std::vector<leased_work>> done;
};

/// What became of a lease, and what its job was told; null: nothing.
struct lease_answer {
  lease_state::condition now = lease_state::condition::lost;
  told_messages messages;
};

/// To the board: extends a lease. Replies what became of it; `no_such_job` if it is not known here.
struct extend_lease {
  namespace_id ns{};
  core::token proof;
  reply<lease_answer> done;
};

/// From a job to the board: the vertex waits for a worker.
struct offer_work {
  caf::actor job;
  core::work_key what;
  core::work_place in;
};

/// From a job to the board: nothing of it waits for workers any more.
struct withdraw_work {
  job_id job;
};

/// From the board to a job: a worker takes the vertex. Answered with `work_refused` or, once the
/// lease is durable, `work_leased`, which comes by way of the job: it alone tells the board of its
/// leases, so that what it says of one comes in order.
struct take_work {
  core::work_key what;
  std::uint64_t fetch = 0;
  core::duration lease{};
  std::string worker;
};
struct work_refused {
  std::uint64_t fetch = 0;
};
struct work_leased {
  std::uint64_t fetch = 0;
  caf::actor job;
  namespace_id ns{};
  leased_work work;
};

/// From a job to the board: an attempt that was leased before this actor was there.
struct adopt_lease {
  caf::actor job;
  namespace_id ns{};
  core::work_key what;
  core::token proof;
  core::duration lease{};
  told_messages messages; ///< Null: none.
};

/// From a job to the board: what the workers with these leases are told from now on. Replies no
/// error.
struct tell_leases {
  std::vector<core::token> proofs;
  told_messages messages;
  reply_status done;
};

/// From a job to the board: the worker is to end the attempt, or has ended it.
struct cancel_lease {
  core::token proof;
};
struct drop_lease {
  core::token proof;
};

/// To the board: nobody waits for the fetch any more. What it has got meanwhile is given back.
struct drop_fetch {
  std::uint64_t fetch = 0;
};

/// To the board: nobody got the lease. It is given back.
struct return_lease {
  namespace_id ns{};
  core::token proof;
};

/// From the board to itself: a worker has waited long enough; a lease may have run out.
struct fetch_due {
  std::uint64_t fetch = 0;
};
struct lease_due {
  core::token proof;
};

/// To a shard, which hands it on: the attempt has ended. Replies no error once that is durable,
/// also if it was told before in the same words; `stale_token`, `no_such_job`, `journal_failed`.
struct finish_work {
  job_id job;
  namespace_id ns{};
  core::token proof;
  core::attempt_result result;
  reply_status done;
};

/// To a shard, which hands it on: the attempt says something. Replies no error once that is
/// durable; `stale_token`, `illegal_request` if pieces were left out.
struct emit_work {
  job_id job;
  namespace_id ns{};
  core::vertex_index vertex = 0;
  core::token proof;
  std::uint64_t number = 0;
  core::stream_kind kind{};
  std::string text;
  reply_status done;
};

/// To a shard, which hands it on: the board shall know this lease. Replies no error if the attempt
/// is the vertex's current one, else `stale_token`.
struct find_lease {
  job_id job;
  namespace_id ns{};
  core::vertex_index vertex = 0;
  core::token proof;
  reply_status done;
};

/// To a job: why an attempt of a worker is over without the worker.
enum class lease_end : std::uint8_t {
  silent,    ///< Nothing was heard for the time of the lease.
  asked,     ///< It was asked to end, and its grace is over.
  timed_out, ///< The attempt took longer than its vertex allows.
  unclaimed, ///< The worker did not get the lease.
};
struct lease_over {
  core::vertex_index vertex = 0;
  core::token proof;
  lease_end why{};
};

} // namespace troupe::messages

#define TROUPE_MESSAGE(type)                                                                       \
  CAF_ADD_TYPE_ID(troupe_work, (troupe::messages::type))                                           \
  CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::messages::type)

CAF_BEGIN_TYPE_ID_BLOCK(troupe_work, caf::first_custom_type_id + 1200)
TROUPE_MESSAGE(fetch_work)
TROUPE_MESSAGE(extend_lease)
TROUPE_MESSAGE(offer_work)
TROUPE_MESSAGE(withdraw_work)
TROUPE_MESSAGE(take_work)
TROUPE_MESSAGE(work_refused)
TROUPE_MESSAGE(work_leased)
TROUPE_MESSAGE(adopt_lease)
TROUPE_MESSAGE(tell_leases)
TROUPE_MESSAGE(cancel_lease)
TROUPE_MESSAGE(drop_lease)
TROUPE_MESSAGE(fetch_due)
TROUPE_MESSAGE(lease_due)
TROUPE_MESSAGE(finish_work)
TROUPE_MESSAGE(emit_work)
TROUPE_MESSAGE(find_lease)
TROUPE_MESSAGE(lease_over)
TROUPE_MESSAGE(drop_fetch)
TROUPE_MESSAGE(return_lease)
CAF_END_TYPE_ID_BLOCK(troupe_work)

#undef TROUPE_MESSAGE
