#pragma once

#include "storage/overlay.hpp"
#include "storage/tables.hpp"

namespace troupe::storage {

/// Appends the records of a window's job to its chunks; `first` is the number of the first one. A
/// small last chunk takes in what follows. Errors: those of `table_writer`.
status append_records(table_writer& to, core::shard_id shard, job_id id, std::uint64_t first,
                      const overlay& window, const overlay::part& part);

/// Removes all chunks of a job. Errors: those of `table_writer`.
status erase_records(table_writer& to, core::shard_id shard, job_id id);

} // namespace troupe::storage
