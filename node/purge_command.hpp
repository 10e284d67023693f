#pragma once

#include "node/console.hpp"
#include "node/job_query.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace troupe::node {

struct purge_options {
  std::filesystem::path data;
  job_query which;
  bool dry_run = false; ///< Only counts.
  bool yes = false;     ///< Deletes.
};

/// `troupe jobs purge`: deletes ended jobs of a data directory that no process has open. Returns
/// the exit code.
int purge_jobs(console& to, const purge_options& options, format how);

} // namespace troupe::node
