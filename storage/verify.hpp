#pragma once

#include "storage/verify_blobs.hpp"
#include "storage/verify_journal.hpp"
#include "storage/verify_tables.hpp"

namespace troupe::storage {

/// How far a check has come.
struct verify_progress {
  const char* part = ""; ///< `file`, `blobs`, `jobs`, `journal`.
  std::uint64_t bytes = 0, bytes_total = 0;
};

/// What is to be checked, and how.
struct verify_options {
  bool online = false; ///< Beside the owner of the data directory.
  graph_reader graphs; ///< Must be set; called from several threads at once.
  std::function<void(const verify_progress&)> progress; ///< From time to time, if set.
};

/// What a check has looked at and found.
struct verify_report {
  finding_list found;
  bool backup = false;   ///< It was a backup, which has no journal.
  bool snapshot = false; ///< There was one.
  tables_summary tables;
  journal_summary journal;
  blob_totals blobs;
  std::uint64_t rows = 0;           ///< Of all tables.
  std::uint64_t bytes = 0;          ///< Read, of files.
  std::vector<std::string> skipped; ///< What could not be checked, and why.

  bool clean() const noexcept { return found.empty(); }
};

/// Checks a data directory or a backup; changes nothing. Without `online` no process may have the
/// data directory open for writing. Memory stays bounded however much there is.
/// Errors: those of `data_dir::open` that say that there is nothing to check, `already_open`,
/// `io_failed`, `overloaded`, `timed_out`. All that is damaged is a finding.
result<verify_report> verify(const std::filesystem::path& path, const verify_options& options);

} // namespace troupe::storage
