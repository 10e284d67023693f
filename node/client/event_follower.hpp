#pragma once

#include "node/client/node_client.hpp"
#include "troupe/event.hpp"

namespace troupe::client {

inline constexpr std::chrono::milliseconds reconnect_max{600'000};    ///< Of a node that is gone.
inline constexpr std::chrono::milliseconds reconnect_first{100};      ///< Then twice as long, up to
inline constexpr std::chrono::milliseconds reconnect_most{2'000};     ///< this.
inline constexpr std::size_t event_bytes_max = std::size_t{96} << 20; ///< Of one event's line.

/// What wants to be told while events are followed. `take` is needed, the others may be empty.
struct event_taker {
  /// Takes the next event, and the JSON text as it came. False: enough.
  std::function<bool(const event&, std::string_view json)> take;
  /// The node was restored from a backup: all events come anew.
  std::function<void()> begin_anew;
  /// The node is gone, or cannot tell of the job (with the reason), and is tried again; or it is
  /// back (null).
  std::function<void(const trouble*)> connection;
  /// As that of `transport`.
  idle waiting;
};

/// Shows the events of a job from number `from` on, each once and in order, up to `end`, also
/// through restarts of the node. A node that cannot be reached at first is not waited for. Faults:
/// those of `node_client`; `unknown_job` if the job is deleted before its end was read; after
/// `reconnect_max` the last reason; `interrupted` if `waiting` gives up.
std::optional<trouble> follow_events(node_client& from_node, job_id id, std::uint64_t from,
                                     const event_taker& to);

} // namespace troupe::client
