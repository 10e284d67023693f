#pragma once

#include "storage/lmdb_tables.hpp"

namespace troupe::storage {

/// What can still be read of a snapshot whose trees have damaged pages: every sound row on the
/// others, taken into memory at one moment. Null if all rows are in reach: then it can be opened,
/// and tells itself which of them are damaged. Reads all of the file, not through the map, so that
/// no damage ends in a signal. Calls `each` for all that is wrong, also for how many rows of a
/// table are lost, unless it answers null. Errors: `journal_corrupt` if what leads to the tables is
/// damaged, `io_failed`, `overloaded`, `already_open` in this process.
result<std::unique_ptr<table_store>> salvage_tables(const data_dir& directory,
                                                    const problem_sink& each);

} // namespace troupe::storage
