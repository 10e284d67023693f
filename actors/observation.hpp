#pragma once

#include "core/job.hpp"
#include "troupe/observer.hpp"

#include <memory>
#include <vector>

namespace troupe::actors {

/// What the observer of a node knows a job by.
observed_job observed(const core::job& x);

/// What an observer will be told of one job's records, once they are durable.
class observation {
public:
  /// Takes a record that was just applied to the job.
  void note(const core::job& x, const core::record& r, const core::changes& seen);

  /// Tells all of it, in order.
  void tell(observer& to) const;

private:
  void note_end(const core::job& x, const core::vertex_outcome& end);
  void note_attempt(attempt_step step);

  observed_job job_;
  std::vector<job_step> steps_;
  std::vector<attempt_step> attempts_;
};

} // namespace troupe::actors
