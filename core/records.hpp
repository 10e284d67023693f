#pragma once

#include "core/graph.hpp"
#include "core/job_machine.hpp"
#include "core/payload.hpp"
#include "core/types.hpp"
#include "troupe/error.hpp"

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace troupe::core {

struct record_type {
  std::uint16_t number; ///< Never reused.
  std::uint8_t version; ///< Raised when fields change; old ones stay readable.
};

/// What new record types a store may hold: raised by a record, never lowered.
/// Level 2 came with the snapshot: version 2 of `job_added`, `job_deleted`, `job_passivated`, rows;
/// level 3 with workers: `attempt_leased`; level 4 with what jobs are told: `message_added`.
inline constexpr std::uint32_t feature_level_current = 4;

/// From here on the journal may hold every record type of this level.
struct feature_level_raised {
  static constexpr record_type type{1, 1};
  std::uint32_t level = feature_level_current;
  bool operator==(const feature_level_raised&) const = default;
};

/// The job stands in its queue. Version 1 ends with `parent_proof`.
struct job_added {
  static constexpr record_type type{2, 2};
  std::string queue;
  graph_id graph;
  payload input;
  std::map<std::string, std::string> labels;
  std::uint32_t max_parallel = 0; ///< Vertices that hold a slot at once; 0: no limit.
  job_id retry_of;                ///< Whose results it reuses; zero: none.
  job_id parent;                  ///< Which asked for it; zero: none.
  vertex_index parent_vertex = 0; ///< Whose attempt `parent_proof` it is.
  token parent_proof;
  std::string idempotency_key; ///< Within namespace and queue; empty: none.
  bytes request_digest;        ///< SHA-256 of the request that has the key.
  duration retention{};        ///< From its end to its deletion; zero: its queue's.
  shard_time expires_at{};     ///< It fails if it has not begun by then; zero: never.
  bool operator==(const job_added&) const = default;
};

/// The job took one step of its table.
struct job_moved {
  static constexpr record_type type{3, 1};
  job_state from{}, to{};
  std::string reason; ///< For people; empty when it went by itself.
  problem error;      ///< Set if `to` is `failed`.
  bool operator==(const job_moved&) const = default;
};

/// An impure attempt may start once this is durable.
struct attempt_started {
  static constexpr record_type type{4, 1};
  vertex_index vertex = 0;
  std::uint32_t number = 1; ///< A redelivery repeats it.
  token proof;
  shard_time due{}; ///< When a timer fires; zero: it is no timer.
  bool operator==(const attempt_started&) const = default;
};

enum class attempt_end : std::uint8_t { succeeded, failed, timed_out, cancelled };
constexpr attempt_end last(attempt_end) noexcept { return attempt_end::cancelled; }

/// What one attempt came to.
struct vertex_outcome {
  vertex_index vertex = 0;
  attempt_end outcome{};
  duration took{};                    ///< From its start.
  shard_time retry_at{};              ///< When the next attempt may start; zero: this was the last.
  payload output;                     ///< If it succeeded.
  problem error;                      ///< If it did not.
  std::vector<std::uint32_t> untaken; ///< Positions among its outgoing edges, `when` being false.
  bool operator==(const vertex_outcome&) const = default;
};

/// An impure attempt has ended; its token is void from here on.
struct attempt_ended {
  static constexpr record_type type{5, 1};
  token proof;
  vertex_outcome end;
  bool operator==(const attempt_ended&) const = default;
};

/// Pure vertices have ended, in this order. Their attempts have no start record.
struct vertices_ended {
  static constexpr record_type type{6, 1};
  std::vector<vertex_outcome> ends;
  bool operator==(const vertices_ended&) const = default;
};

/// The node that ran the attempt is gone: the vertex is ready again.
struct attempt_lost {
  static constexpr record_type type{7, 1};
  vertex_index vertex = 0;
  token proof;
  bool counts = true; ///< Toward `limits::redeliveries_max`; not if the node ended in order.
  bool operator==(const attempt_lost&) const = default;
};

/// Outputs that an earlier job recorded: these vertices do not run.
struct vertices_reused {
  static constexpr record_type type{8, 1};
  std::vector<vertex_outcome> ends;
  bool operator==(const vertices_reused&) const = default;
};

enum class stream_kind : std::uint8_t { log, token, progress };
constexpr stream_kind last(stream_kind) noexcept { return stream_kind::progress; }

/// What an attempt said while it ran.
struct stream_appended {
  static constexpr record_type type{9, 1};
  vertex_index vertex = 0;
  std::uint32_t attempt = 1;
  std::uint64_t offset = 0; ///< Bytes of this kind that the attempt said before.
  stream_kind kind{};
  std::string text;
  bool cut = false; ///< The job's budget is used up: nothing follows from this job.
  bool operator==(const stream_appended&) const = default;
};

/// Something one shard tells another: recorded by the sender, sent until it is acknowledged.
struct message_sent {
  static constexpr record_type type{10, 1};
  shard_id to{};
  std::uint64_t sequence = 0; ///< From 1, gapless for each pair of shards.
  bytes body;                 ///< `core/links.hpp`.
  bool operator==(const message_sent&) const = default;
};

/// The message has been acted upon, in the same group; a repeat is dropped.
struct message_received {
  static constexpr record_type type{11, 1};
  shard_id from{};
  std::uint64_t sequence = 0;
  bool operator==(const message_received&) const = default;
};

/// The receiver has it durably; it need not be sent again.
struct message_acknowledged {
  static constexpr record_type type{12, 1};
  shard_id to{};
  std::uint64_t sequence = 0; ///< And every one before.
  bool operator==(const message_acknowledged&) const = default;
};

/// The job has ended and is kept no longer: nothing tells of it any more.
struct job_deleted {
  static constexpr record_type type{13, 1};
  std::string reason; ///< For people: `retention`, `purge`.
  bool operator==(const job_deleted&) const = default;
};

/// No actor has the job any more: it waits for time alone. Any later record of it ends that.
struct job_passivated {
  static constexpr record_type type{14, 1};
  shard_time wake_at{}; ///< When its next timer is due; zero: only a request wakes it.
  bool operator==(const job_passivated&) const = default;
};

/// A row of the embedder, in the shard of its queue.
struct row_written {
  static constexpr record_type type{15, 1};
  std::string queue, key;
  bytes content;
  bool operator==(const row_written&) const = default;
};

struct row_erased {
  static constexpr record_type type{16, 1};
  std::string queue, key;
  bool operator==(const row_erased&) const = default;
};

/// A worker outside may run this attempt once this is durable. Unlike one of this node, it goes on
/// when the node ends: it is lost when nothing is heard of it for the time of its lease.
struct attempt_leased {
  static constexpr record_type type{17, 1};
  vertex_index vertex = 0;
  std::uint32_t number = 1; ///< A redelivery repeats it.
  token proof;
  duration lease{};
  std::string worker; ///< As it calls itself; for people.
  bool operator==(const attempt_leased&) const = default;
};

/// The job was told something new while it had not ended.
struct message_added {
  static constexpr record_type type{18, 1};
  std::string text;
  bool operator==(const message_added&) const = default;
};

using record_body =
    std::variant<feature_level_raised, job_added, job_moved, attempt_started, attempt_ended,
                 vertices_ended, attempt_lost, vertices_reused, stream_appended, message_sent,
                 message_received, message_acknowledged, job_deleted, job_passivated, row_written,
                 row_erased, attempt_leased, message_added>;

/// One outcome, never a command: times, ids and chance already stand in it.
struct record {
  namespace_id ns{};
  shard_id shard{};
  job_id job; ///< Zero: the shard itself.
  shard_time at{};
  record_body body;
  bool operator==(const record&) const = default;
};

/// Everything that one decision makes; never split over two batches.
using record_group = std::vector<record>;

/// Appends the record in its envelope: length u32, type u16, version u8, flag u8, CRC32C u32.
void encode(const record& x, bytes& out);

/// Hands on each record of a batch, in order; unknown ones are skipped only if their flag is
/// `ignorable`. Errors: `journal_corrupt`, `unknown_record`, or what `each` answers.
status decode(byte_view batch, const std::function<status(record&&)>& each);

/// All records of a batch. Errors: `journal_corrupt`, `unknown_record`.
result<record_group> decode(byte_view batch);

/// The job of each record of a batch and where the record lies in it, without decoding bodies.
/// Checks the CRCs only if `checked`. Errors: `journal_corrupt`.
struct record_place {
  job_id job;
  std::uint16_t type = 0;
  std::uint32_t begin = 0, end = 0; ///< Bytes of the batch.
};
result<std::vector<record_place>> places_in(byte_view batch, bool checked);

/// How many records lie in a batch, up to the first that is cut off.
std::size_t count_records(byte_view batch);

} // namespace troupe::core
