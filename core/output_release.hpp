#pragma once

#include "core/job.hpp"

namespace troupe::core {

/// Whether something of the job may still read the output of `v`: its result, or a vertex that has
/// not ended. The job has begun.
bool is_read_again(const job& x, vertex_index v);

/// Lets go of outputs in blobs that nothing of a running job reads any more, so that a chain of
/// large ones takes the memory of two, not of all; when it has ended, of all. What the record names
/// stays; the value can be loaded again.
class output_release {
public:
  output_release() = default;
  /// Looks at what a job has that went on from its records.
  explicit output_release(job& x);

  /// `r` was applied to `x`, always the same job.
  void after(job& x, const record& r);

  /// The job has ended, and who waited has its result.
  void release_all(job& x);

private:
  struct held_output {
    vertex_index vertex = 0;
    edge_index next = 0; ///< The first of its edges whose vertex has not ended.
  };

  void hold(const job& x, vertex_index v);
  void release(job& x);

  std::vector<held_output> held_;
  std::vector<bool> in_result_; ///< By vertex; empty until something is large.
};

} // namespace troupe::core
