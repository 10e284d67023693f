#pragma once

#include "node/http/problem.hpp"
#include "troupe/graph_spec.hpp"
#include "troupe/job_spec.hpp"
#include "troupe/limits.hpp"

#include <variant>

/// What requests for jobs say. Pure; any thread.
namespace troupe::http {

/// What `POST /v1/jobs`, or a line of a batch, asks for.
struct job_request {
  job_spec spec{};                   ///< Without its graph, if that is given here.
  std::optional<graph_spec> graph{}; ///< The graph itself, in place of its id.
  std::string graph_at = "/graph";   ///< Where it stands in what was sent.
};

/// A request, or all that is wrong with it.
struct read_request {
  job_request request{};
  std::optional<refusal> malformed{}; ///< It is not JSON.
  problems errors{};
};

/// Reads a request; what it asks for is not looked up. A line of a batch may have
/// `idempotency_key`, too.
read_request read_job_request(std::string_view text, bool in_batch);

/// The answer to a request that cannot be read.
response answer_of(const read_request& x);
/// The problem object of such a line.
value problem_of(const read_request& x);

/// The key of an `Idempotency-Key` field, which may stand in quotes; empty if there is none.
/// Errors: `invalid_spec`.
result<std::string> idempotency_key_of(const std::string* field);

} // namespace troupe::http
