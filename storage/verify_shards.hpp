#pragma once

#include "storage/data_dir.hpp"
#include "storage/verify_tables.hpp"

namespace troupe::storage {

/// What the shards of a store have in common for a check.
struct shards_check {
  const data_dir& directory;
  const blob_files& blobs;
  const graph_reader& graphs; ///< Called from several threads at once.
  tables_check_options options;
  std::size_t threads = 1; ///< At least one; more than there are shards are of no use.
};

/// `check_tables` of every shard, several at once, each in a thread of its own. Findings come in
/// the order of the shards. `options.progress` is called with what all have looked at, by one
/// thread at a time. Errors: the first shard's that has one, once all have ended.
status check_shards(table_store& from, const shards_check& how, tables_summary& sum,
                    finding_list& to);

} // namespace troupe::storage
