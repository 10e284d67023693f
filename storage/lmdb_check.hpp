#pragma once

#include "storage/lmdb_env.hpp"
#include "storage/lmdb_file.hpp"

/// Finding what is wrong in the snapshot's file. Private to storage/lmdb_*.
namespace troupe::storage {

/// As `lmdb_tables::check`.
result<lmdb_summary> check_lmdb(lmdb_env& env, const problem_sink& each,
                                std::chrono::steady_clock::duration slice);

/// As `salvage_tables`.
result<std::unique_ptr<table_store>> salvage_lmdb(lmdb_env& env, const problem_sink& each);

namespace lmdb {

/// Whether each of the two pages leads to the totals that were written with it: a wrong number in
/// one would show an old state as the newest. Errors: `journal_corrupt`, `io_failed`.
status check_own_rows(const file& from, const metas& of);

} // namespace lmdb

} // namespace troupe::storage
