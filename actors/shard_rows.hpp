#pragma once

#include "core/records.hpp"

#include <map>
#include <optional>
#include <tuple>

namespace troupe::actors {

/// The name of an embedder's row or of a request, within a shard.
struct queue_key {
  namespace_id ns{};
  std::string queue, key;
  auto operator<=>(const queue_key&) const = default;
};

/// A request with an idempotency key.
struct keyed_request {
  job_id job;
  core::bytes digest;
  core::position at = 0; ///< Where the job was recorded; zero: durable.
};

/// Rows and idempotency keys that the view does not tell yet. What is here goes before the view.
struct fresh_rows {
  struct content {
    std::optional<core::bytes> bytes; ///< Nothing: the row was erased.
    core::position at = 0;
  };
  std::map<queue_key, content> rows;
  std::map<queue_key, keyed_request> requests;
};

} // namespace troupe::actors
