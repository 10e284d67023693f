#pragma once

#include "core/job.hpp"

#include <deque>
#include <map>
#include <optional>
#include <variant>
#include <vector>

namespace troupe::core {

// Between shards nothing but messages: recorded by the sender (outbox), sent until the receiver has
// recorded that it acted upon them (inbox). Each is acted upon once, in the order of sending,
// whatever the transport loses, repeats or reorders and whoever crashes.

/// What a shard remembers of one other shard.
struct shard_link {
  std::uint64_t sent = 0;                  ///< Sequence of the newest message to it.
  std::uint64_t received = 0;              ///< Every message from it up to this was acted upon.
  std::deque<message_sent> unacknowledged; ///< To be sent again; gapless, the last one is `sent`.
  bool operator==(const shard_link&) const = default;
};

/// All links of one shard. `apply` alone changes it.
struct link_state {
  std::map<shard_id, shard_link> peers;
  bool operator==(const link_state&) const = default;
};

/// Takes in a `message_sent`, `message_received` or `message_acknowledged`. Total and pure: any
/// other record, and one that does not fit, is ignored.
void apply(link_state& x, const record& r);

/// The next message to a shard. It must be applied before another one to this shard is decided.
message_sent decide_send(const link_state& x, shard_id to, bytes body);

/// What is to be done with a message that has arrived.
enum class receipt : std::uint8_t {
  fresh,  ///< Act upon it, with `message_received` in the same group; acknowledge once durable.
  repeat, ///< It was acted upon before: acknowledge it again, once that is durable.
  ahead,  ///< One before it is missing: drop it, the sender repeats both.
};
receipt decide_receive(const link_state& x, shard_id from, std::uint64_t sequence);

/// The record of an acknowledgement; nothing if it tells nothing new.
std::optional<message_acknowledged> decide_acknowledged(const link_state& x, shard_id to,
                                                        std::uint64_t sequence);

/// What has to be sent again, after a crash or after a while: per shard the oldest messages, at
/// most `limits::link_window_max`, in order.
std::vector<message_sent> resume(const link_state& x);

/// A vertex asks for a job in another shard. Its attempt ends when that job has ended.
struct child_requested {
  static constexpr record_type type{1, 1};
  namespace_id ns{};
  job_id parent;
  vertex_index vertex = 0;
  token proof; ///< Of the attempt that waits.
  std::string queue;
  graph_id graph;
  payload input;
  bool operator==(const child_requested&) const = default;
};

/// The job that a vertex asked for has ended.
struct child_ended {
  static constexpr record_type type{2, 1};
  job_id parent;
  vertex_index vertex = 0;
  token proof;
  attempt_end outcome{};
  payload output;
  problem error;
  bool operator==(const child_ended&) const = default;
};

using message_body = std::variant<child_requested, child_ended>;

/// The body of a message: type u16, version u8, fields.
bytes encode_message(const message_body& x);
/// Errors: `journal_corrupt`, `unknown_record`.
result<message_body> decode_message(byte_view in);

/// The job that is asked for.
job_added child_of(const child_requested& x);
/// What the shard of its parent is told of a child that has ended, `result` being told only if it
/// completed. A child that was cancelled or stopped has failed as an attempt: its parent was not.
child_ended end_of(const job& child, payload result);

} // namespace troupe::core
