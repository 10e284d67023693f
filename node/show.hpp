#pragma once

#include "node/progress.hpp"
#include "troupe/job_spec.hpp"

/// Jobs, events and problems as JSON has them. Pure; any thread.
namespace troupe::node {

/// `{"id", "state", "graph", "graph_name", "queue", "labels", "created_at", "started_at",
/// "completed_at", "expires_at", "error", "events", "progress", "retry_of"}`; what is not there yet
/// is null. `messages` only if there are some.
value to_value(const job_info& x);

/// The same without `events` and `progress`: a list is read without them.
value row_value(const job_info& x);

/// `{"id", "event", "data", "time", "job"}`.
value to_value(const event& x);

/// `{"code", "pointer", "detail"}`.
value to_value(const problem& x);

/// `[{"vertex", "code", "detail"}]`.
value to_value(const std::vector<vertex_failure>& failures);

/// The first digits of a graph's id, for tables.
std::string short_text(const graph_id& x);

} // namespace troupe::node
