#pragma once

#include "node/console.hpp"
#include "node/target.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::node {

struct submit_options {
  target_options at;
  std::string graph;                ///< A file, `-`, or the id of a registered graph.
  std::optional<std::string> input; ///< As that of `troupe run`.
  std::optional<std::string> queue, retention, expires_in;
  std::vector<std::string> labels; ///< `NAME=VALUE`.
  std::uint32_t max_parallel = 0;
  std::string idempotency_key;
  std::optional<std::string> wait; ///< A duration; empty: without an end.
};

/// `troupe submit`: makes a job at a node, and with `wait` shows it up to its end. Returns the exit
/// code.
int submit_job(console& to, const submit_options& options, format how);

struct watch_options {
  target_options at;
  std::string id;                  ///< All of it, or how it begins.
  std::optional<std::string> wait; ///< As above.
};

/// `troupe jobs watch`: shows a job up to its end, whose exit code is returned.
int watch_job(console& to, const watch_options& options, format how);

/// `troupe jobs result`: the result of a job that has completed; with `wait`, once it has.
int show_result(console& to, const watch_options& options, format how);

} // namespace troupe::node
