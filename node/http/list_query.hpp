#pragma once

#include "core/types.hpp"
#include "node/http/query.hpp"
#include "troupe/job_spec.hpp"

/// What the query of a list means: which rows, and from where on. Pure; any thread.
namespace troupe::http {

/// `state`, `queue`, `q`, `ended_before` or `older_than`, and `label`s, of jobs of any namespace.
/// Errors: `invalid_spec` for one that is malformed, or that no job can have.
result<job_filter> filter_in(const query_arguments& query, core::shard_time now);

/// Where the next page of a list of jobs begins, in this life of the store.
std::string cursor_of(job_id before, std::uint64_t incarnation);

/// What `cursor` says; nothing if it is not there. Errors: `invalid_spec` for one that this life of
/// the store has not given.
result<std::optional<job_id>> job_cursor_in(const query_arguments& query,
                                            std::uint64_t incarnation);

/// The same for a list of graphs, whose cursors are good for ever.
result<std::optional<graph_id>> graph_cursor_in(const query_arguments& query);

} // namespace troupe::http
