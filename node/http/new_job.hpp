#pragma once

#include "node/http/api.hpp"

/// What requests that make jobs have in common. Any thread.
namespace troupe::http {

/// A job as it was made: `GET` tells what has become of it since.
job_info new_job(const job_spec& spec, const known_graph& graph, job_id id);

/// The SHA-256 of a request, its bytes as text: `job_spec::request_digest`.
std::string digest_text(std::string_view text);

/// Labels a job with the trace that its request has `sent` in the header `traceparent` (null:
/// none), or with a new one, unless it has that label, or no room for one. A malformed header is
/// ignored, as W3C Trace Context says.
void put_in_trace(const api_ptr& in, const std::string* sent, job_spec& to);

} // namespace troupe::http
