#pragma once

#include "actors/graph_store.hpp"
#include "actors/store.hpp"
#include "core/job.hpp"
#include "node/errors.hpp"
#include "node/progress.hpp"
#include "troupe/event.hpp"
#include "troupe/job_spec.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace troupe::node {

/// One job with all that is known of it.
struct whole_job {
  job_info info;
  std::vector<vertex_failure> failures; ///< All vertices that have failed, by the graph's order.
};

/// Reads the jobs of a data directory, also while another process writes to it: what was durable
/// when it was opened, and some of what came later. One thread at a time.
class job_reader {
public:
  /// Faults: `no_data_directory`, and those of `runtime::open` but `already_open`.
  static answer<job_reader> open(const std::filesystem::path& directory);

  /// Newest first, with the names of their graphs. Errors: `blob_missing`, `journal_corrupt`,
  /// `io_failed`.
  result<std::vector<job_info>> list(const job_filter& filter);

  /// The job whose id begins so. Faults: `unknown_job`, `ambiguous_job`.
  answer<job_id> find(const std::string& prefix);

  /// Errors: `no_such_job`, `no_such_graph`, `blob_missing`, `journal_corrupt`, `io_failed`.
  result<whole_job> get(job_id id);

  /// What continues an unfinished job, for people: the command takes the newest one here.
  std::string resuming(job_id id);

  /// Shows each event in order until `each` says false. Errors: `no_such_job`, `no_such_graph`.
  status events(job_id id, const std::function<bool(event&&)>& each);

private:
  job_reader(actors::store from, std::filesystem::path directory);

  storage::view& view_of(job_id id);
  std::vector<std::shared_ptr<storage::view>> views() const;
  storage::view::graph_source graph_source() const;

  actors::store store_;
  std::filesystem::path directory_;
  std::shared_ptr<actors::graph_store> graphs_;
};

} // namespace troupe::node
