#pragma once

#include "node/console.hpp"
#include "node/job_query.hpp"
#include "node/target.hpp"

#include <string>
#include <vector>

namespace troupe::node {

struct change_options {
  target_options at;
  std::string step; ///< `cancel`, `stop`, `pause`, `resume`, `retry`, `purge`, `remove`.
  std::vector<std::string> ids; ///< All of each, or how it begins. None: those of `which`.
  job_query which;
  std::string reason; ///< Goes into the events; not of `retry`, `purge` and `remove`.
  std::string from;   ///< Only of `retry`: the vertex from which on all runs again.
  bool dry_run = false, yes = false; ///< Of what is done to all jobs of `which`.
};

/// Does a step to jobs of a node: to each that is named, or to all of a filter. Returns the exit
/// code, of several jobs that of the first that was refused.
int change_jobs(console& to, const change_options& options, format how);

} // namespace troupe::node
