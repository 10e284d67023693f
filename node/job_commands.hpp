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

/// Tells on standard error that a list was cut at its limit. `what`: `jobs`, …
void tell_more(console& to, const char* what);

/// Jobs, newest first; more than the limit are told of.
int list_jobs(console& to, const list_options& options, format how);

/// One job, its failures and its result. `id`: all of it, or how it begins.
int get_job(console& to, const std::filesystem::path& data, const std::string& id, format how);

} // namespace troupe::node
