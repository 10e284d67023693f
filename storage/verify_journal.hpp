#pragma once

#include "storage/data_dir.hpp"
#include "storage/verify_job.hpp"

namespace troupe::storage {

/// What the check of the journal has looked at.
struct journal_summary {
  std::uint64_t batches = 0, records = 0, bytes = 0;
  std::uint64_t compared = 0; ///< Jobs that were compared with the tables.
};

/// Reads every batch that the journal still has to have, also beside its owner: checksums, the
/// chain, the order, each record. Compares what the tables took in with the rows, and whether what
/// they have not taken in yet fits them. `tables` is null if there is no snapshot yet. All that is
/// wrong goes to `to`. Errors: those of `table_store`, `io_failed`, `timed_out`.
status check_journal(const data_dir& directory, table_store* tables, const job_surroundings& around,
                     journal_summary& sum, finding_list& to);

} // namespace troupe::storage
