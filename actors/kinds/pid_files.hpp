#pragma once

#include "troupe/error.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <sys/types.h>

namespace troupe::actors {

/// Records in `run_dir` that `pid` leads a process group of ours: its start time, the machine's
/// boot and the attempt's idempotency key tell it from a later process of the same id; this process
/// is recorded as its owner. An empty `run_dir` records nothing. Errors: `io_failed`.
status write_pid_file(const std::filesystem::path& run_dir, pid_t pid, const std::string& key);

/// Removes the record. No error if there is none.
void remove_pid_file(const std::filesystem::path& run_dir, pid_t pid) noexcept;

/// Kills what a node that died has left: for each record of this boot the group whose leader is
/// still the recorded one, or, if the leader is gone, those members of the group that carry the
/// idempotency key in their environment; not what another process owns that lives, as in a copy of
/// a directory in use. Then removes the records. Call it at recovery, before anything is started.
/// Returns the number of groups in which something was killed. Errors: `io_failed`.
result<std::size_t> kill_orphans(const std::filesystem::path& run_dir);

} // namespace troupe::actors
