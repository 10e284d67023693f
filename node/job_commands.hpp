#pragma once

#include "node/console.hpp"
#include "node/job_query.hpp"

#include <filesystem>
#include <string>

/// The verbs of `troupe jobs`: they read a data directory, also beside its owner. Each returns its
/// exit code.
namespace troupe::node {

struct list_options {
  std::filesystem::path data;
  job_query which;
  std::size_t limit = 20;
};

/// Jobs, newest first.
int list_jobs(console& to, const list_options& options, format how);

/// One job, its failures and its result. `id`: all of it, or how it begins.
int get_job(console& to, const std::filesystem::path& data, const std::string& id, format how);

} // namespace troupe::node
