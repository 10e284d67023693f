#pragma once

#include "troupe/job_spec.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// A row of the embedder's own: some bytes under a key, in one queue of one namespace. Keys have 1
/// to 256 bytes of any kind, contents at most 64 KiB.
struct queue_row {
  std::string key;
  std::vector<std::uint8_t> content;
  bool operator==(const queue_row&) const = default;
};

/// Writes or erases one row.
struct row_write {
  std::string key;
  std::optional<std::vector<std::uint8_t>> content; ///< Nothing: the row is erased.
};

/// What a row must be for the transaction to take place.
struct row_condition {
  std::string key;
  std::optional<std::vector<std::uint8_t>> content; ///< Nothing: there must be no such row.
};

/// Rows and jobs of one queue that become durable together or not at all.
struct transaction {
  namespace_id ns{};
  std::string queue = "default";
  std::vector<row_condition> conditions; ///< All looked at before anything is written.
  std::vector<row_write> rows;           ///< In this order: the last write of a key counts.
  std::vector<job_spec> jobs;            ///< Of this namespace and queue; one with `reuse` alone.
};

} // namespace troupe
