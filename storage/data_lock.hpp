#pragma once

#include "storage/file.hpp"

/// Who may write to a data directory. Private to storage/.
namespace troupe::storage {

inline constexpr const char* data_lock_name = "LOCK";

/// Locks a data directory for this process and leaves its id in the file `LOCK`, if the disk has
/// room for it; whoever has it empties the file before it lets go. Errors: `already_open`, which
/// names the process that holds it if that one is the one which left its id; `io_failed`.
result<file> lock_data(file_ops& files, const std::filesystem::path& directory);

} // namespace troupe::storage
