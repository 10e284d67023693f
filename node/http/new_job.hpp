#pragma once

#include "node/http/api.hpp"

/// What requests that make jobs have in common. Any thread.
namespace troupe::http {

/// A job as it was made: `GET` tells what has become of it since.
job_info new_job(const job_spec& spec, const known_graph& graph, job_id id);

/// Answers with a job that was made, or with one that an earlier request with its key has made: if
/// that one is gone, with what is known of it.
void answer_made(const api_ptr& in, const call_ptr& to, const job_info& made, bool replayed);

/// Says in an answer which job was made, and whether an earlier request with the same key has made
/// it.
void tell_made(response& answer, const submitted& made);

/// Tells in these members that a job was made, or, `gone`, that it is there no more: see
/// `when_gone_is_known`.
response made_answer(value::object all, const submitted& made, bool gone);

/// Has `then` called with whether the job is gone that an earlier request has made: it was deleted,
/// or its retention is over. One that was made now is there.
void when_gone_is_known(const api_ptr& in, const submitted& made, std::function<void(bool)> then);

/// Gives a job the request's `Idempotency-Key`, for the same method, path, query and body. False:
/// the key is malformed, and the call is answered.
bool put_in_key(const call_ptr& to, job_spec& spec);

/// The SHA-256 of a request, its bytes as text: `job_spec::request_digest`.
std::string digest_text(std::string_view text);

/// The header `traceparent`; empty if there is none, or more than one.
std::string trace_in(const headers& fields);

/// Labels a job with the trace that its request has `sent`, or with a new one, unless it has that
/// label, or no room for one. What is malformed is ignored, as W3C Trace Context says.
void put_in_trace(const api_ptr& in, const std::string& sent, job_spec& to);

} // namespace troupe::http
