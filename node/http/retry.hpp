#pragma once

#include "node/http/api.hpp"

namespace troupe::http {

/// A job that was made anew.
struct retried {
  job_id id{};
  job_spec spec;
  known_graph graph;
};

/// Makes a job anew of what `job` was made from, if its kinds may come over HTTP now; from the
/// vertex `from` on, or from what has not succeeded. Reads the disk, then does not wait: `then` is
/// called once, as that of `runtime::submit`.
void retry(const api_ptr& in, job_id job, const std::string& from,
           std::function<void(const std::variant<retried, graph_trouble>&)> then);

} // namespace troupe::http
