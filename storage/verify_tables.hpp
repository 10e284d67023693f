#pragma once

#include "storage/verify_index.hpp"
#include "storage/verify_job.hpp"

#include <chrono>

namespace troupe::storage {

/// What the check of the tables has looked at.
struct tables_summary {
  std::uint64_t jobs = 0, records = 0, bytes = 0;
  /// Counts could be compared: all jobs were seen at one moment.
  bool counted = true;
};

/// How the tables are checked.
struct tables_check_options {
  /// Beside an owner: transactions end after this, every entry is looked up, and what seems wrong
  /// with a job is looked at again before it is told. Zero: one transaction for each shard.
  std::chrono::steady_clock::duration slice{};
  /// Called from time to time.
  std::function<void(const tables_summary&)> progress;
};

/// Compares all that the tables hold of one shard: rows with records, records with the graph,
/// indexes, counts, keys of requests and links with the rows, in both directions. Adds to `sum`.
/// The rows' own checksums must be right. Errors: those of `table_store`, `journal_corrupt` if a
/// row cannot be read, after which nothing more is checked.
status check_tables(table_store& from, core::shard_id shard, const job_surroundings& around,
                    const tables_check_options& options, tables_summary& sum, finding_list& to);

/// Checks one job of the tables as they are at this moment: its records, its graph, its values,
/// its entries. Errors: as above.
status check_one_job(const snapshot_read& from, table in, job_id id, const job_surroundings& around,
                     tables_summary& sum, finding_list& to);

} // namespace troupe::storage
