#pragma once

#include "node/http/api.hpp"

/// Whether a node can take new jobs.
namespace troupe::node {

/// What new jobs need beside shards that answer: space on the disk, a snapshot that is written and
/// not too far behind the journal, and an audit log that can be written. One part for each, with
/// why jobs are refused. Without `store` there is one for all of it. Pure; any thread.
std::vector<http::ready_part> ready_parts(const result<store_stats>& store, const status& audit);

} // namespace troupe::node
