#pragma once

#include "core/types.hpp"
#include "storage/backup_blobs.hpp"
#include "storage/manifest.hpp"

#include <map>

namespace troupe::storage {

inline constexpr const char* backup_file_name = "BACKUP";
inline constexpr std::uint32_t backup_format_version = 1;

/// What a backup is and holds: the file `BACKUP`, a few lines of text with a checksum.
struct backup_manifest {
  manifest source; ///< Of the data directory that it was made from, in the format of the backup.
  std::chrono::sys_time<std::chrono::milliseconds> taken{}; ///< When its copying began.
  std::map<core::shard_id, core::position> positions;       ///< All up to here is in it.
  std::uint64_t jobs = 0;
  std::uint64_t snapshot_bytes = 0; ///< Of the file.
  blob_totals blobs;

  bool operator==(const backup_manifest&) const = default;
};

std::string encode(const backup_manifest& x);

/// Errors: `journal_corrupt` if a byte is wrong, `newer_format`.
result<backup_manifest> decode_backup(std::string_view text);

/// The `BACKUP` of a directory. Errors: `io_failed` if there is none, and those of `decode_backup`,
/// with the path.
result<backup_manifest> read_backup(file_ops& files, const std::filesystem::path& directory);

} // namespace troupe::storage
