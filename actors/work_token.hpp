#pragma once

#include "core/graph.hpp"
#include "core/types.hpp"
#include "troupe/error.hpp"

#include <string>

namespace troupe::actors {

/// What a worker's token says, besides being one: where the attempt is.
struct work_token {
  std::uint64_t incarnation = 1; ///< Of the store; a restored one knows no earlier tokens.
  job_id job;
  core::vertex_index vertex = 0;
  core::token proof;
};

/// `w1.INCARNATION.JOB.VERTEX.PROOF`. It holds the proof: it is a secret.
std::string to_string(const work_token& x);

/// Errors: `invalid_spec` if it is no token, `stale_token` if it is of another incarnation.
result<work_token> parse_work_token(const std::string& text, std::uint64_t incarnation);

} // namespace troupe::actors
