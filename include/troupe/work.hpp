#pragma once

#include "troupe/ids.hpp"
#include "troupe/limits.hpp"
#include "troupe/problem.hpp"
#include "troupe/value.hpp"

#include <chrono>
#include <string>
#include <vector>

/// Work for others: vertices of kind `worker` are run by whoever fetches them, in any process and
/// language. Who has fetched one holds its lease and its token: the lease ends unless it is
/// extended in time, and then the vertex is given to another; the token proves who may end it, also
/// across a restart of the runtime.
namespace troupe {

/// What a worker wants.
struct work_request {
  namespace_id ns{};
  std::vector<std::string> queues{"default"}; ///< The first that has work; at least one.
  std::string worker{};                       ///< Its own name, for people; at most 128 bytes.
  std::size_t count = 1;                      ///< At most this many, `limits::work_fetch_max`.
  std::chrono::milliseconds lease = limits::work_lease; ///< `limits::work_lease_min` to `_max`.
  std::chrono::milliseconds wait{0}; ///< For the first; at most `limits::work_wait_max`.
};

/// One attempt of a vertex, handed to a worker.
struct work_item {
  std::string token{}; ///< To be kept secret: it alone ends the attempt.
  job_id job{};
  std::string vertex{};
  std::string queue{};
  std::string task{};            ///< As the vertex's config names it.
  std::uint32_t attempt = 1;     ///< A redelivery repeats the number.
  std::string idempotency_key{}; ///< The same for every attempt of the vertex.
  value arguments{};             ///< Of the vertex's config.
  value inputs{};                ///< A member per port, and `job`.
  std::chrono::milliseconds lease{};
  std::vector<std::string> messages{}; ///< What the job was told so far: `runtime::add_message`.
};

/// What became of one lease that was to be extended.
struct lease_state {
  enum class condition : std::uint8_t {
    held,      ///< It was extended by its whole length.
    cancelled, ///< The same, but the vertex is to end: report it soon.
    lost       ///< Somebody else may have the vertex; what is reported now is refused.
  };
  std::string token{};
  condition now = condition::held;
  /// All that the job of a held lease was told so far, in order: what is beyond the number of those
  /// that the worker knows is new.
  std::vector<std::string> messages{};
  /// They are left out: those of the other leases have `limits::told_messages_bytes_max`. Extend
  /// fewer leases at once.
  bool messages_left_out = false;
  bool operator==(const lease_state&) const = default;
};

/// What kind of text a worker emits: lines for people, tokens of a model, or progress.
enum class emit_kind : std::uint8_t { log, token, progress };

} // namespace troupe
