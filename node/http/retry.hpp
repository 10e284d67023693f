#pragma once

#include "node/http/api.hpp"

namespace troupe::http {

/// A job that is to be made anew.
struct retried {
  job_spec spec;
  known_graph graph;
};

/// What makes `job` anew, if its kinds may come over HTTP now; from the vertex `from` on, or from
/// what has not succeeded. Reads the disk. Errors: those of `runtime::spec`, `kind_not_allowed`.
std::variant<retried, graph_trouble> read_retry(const api_ptr& in, job_id job,
                                                const std::string& from);

} // namespace troupe::http
