#pragma once

#include "core/job_machine.hpp"
#include "core/types.hpp"
#include "core/wire.hpp"

#include <string>

/// The keys of the snapshot's tables: the shard first, then whatever orders the table; numbers
/// big-endian, so that bytes sort as numbers do. Names never hold a zero byte.
namespace troupe::storage::keys {

using core::byte_view;
using core::bytes;
using core::shard_id;
using core::shard_time;

inline constexpr std::size_t id_bytes = 16;

/// Names within a queue: keys of requests, rows, counts.
struct scope {
  namespace_id ns{};
  std::string queue;
  auto operator<=>(const scope&) const = default;
};

/// A name in a queue.
struct name_in {
  scope in;
  std::string key;
  auto operator<=>(const name_in&) const = default;
};

bytes shard(shard_id x);          ///< `live`, `done`: before the id.
bytes job(shard_id x, job_id id); ///< `live`, `done`; `chunks`: before the number.
bytes chunk(shard_id x, job_id id, std::uint64_t first);
bytes graph(shard_id x, namespace_id ns, const graph_id& id);

bytes state(shard_id x, namespace_id ns, core::job_state state); ///< `by_state`: before the id.
bytes queue(shard_id x, const scope& in);                        ///< `by_queue`: before the id.
/// `by_label`: before the id. Of a long value the start and a digest.
bytes label(shard_id x, namespace_id ns, const std::string& key, const std::string& value);
/// Any of these and the id.
bytes with_id(bytes prefix, job_id id);
/// The id at the end of a key.
job_id id_in(byte_view key);

/// `by_end`: jobs whose queue's retention counts, before time and id; and the others, by the time
/// of their deletion.
bytes end(shard_id x, const scope& in, core::job_state state);
bytes own_end(shard_id x);
bytes with_time(bytes prefix, shard_time at);
/// The time before the id at the end of a key.
shard_time time_in(byte_view key);

bytes outboxes(shard_id x);            ///< `links`: before the other shard.
bytes outbox(shard_id x, shard_id to); ///< `links`: before the sequence.
bytes outbox(shard_id x, shard_id to, std::uint64_t sequence);
bytes peers(shard_id x); ///< `links`: before the other shard.
bytes peer(shard_id x, shard_id other);

bytes request(shard_id x, const name_in& name); ///< `idempotency`
bytes expiries(shard_id x);                     ///< `idempotency`: before the day.
bytes expiry(shard_id x, std::uint32_t day, const name_in& name);
/// The key of the request that an expiry stands for.
bytes request_of_expiry(byte_view expiry);

bytes rows(shard_id x, const scope& in); ///< `rows`: before the key.
bytes row(shard_id x, const name_in& name);

/// `totals`; `own`: those with a retention of their own.
bytes total(shard_id x, const scope& in, core::job_state state, bool own);

bytes meta(shard_id x);
bytes newest_segment();

bool starts_with(byte_view key, byte_view prefix);
/// The least bytes above all that begin with `prefix`.
bytes above(bytes prefix);

} // namespace troupe::storage::keys
