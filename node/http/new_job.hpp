#pragma once

#include "node/http/graph_door.hpp"

/// What requests that make jobs have in common. Pure; any thread.
namespace troupe::http {

/// A job as it was made: `GET` tells what has become of it since.
job_info new_job(const job_spec& spec, const known_graph& graph, job_id id);

/// The SHA-256 of a request, its bytes as text: `job_spec::request_digest`.
std::string digest_text(std::string_view text);

} // namespace troupe::http
