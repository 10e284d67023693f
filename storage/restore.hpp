#pragma once

#include "storage/backup.hpp"

namespace troupe::storage {

/// What a restore has made.
struct restore_report {
  backup_manifest from;
  manifest made;
};

/// Makes a data directory of a backup: of the same node, in a new incarnation, with an empty
/// journal that goes on where the backup ends. Jobs that had not ended go on when it is opened.
/// All is checked on the way; `target` must not exist or be empty, and can be opened when all is
/// on the disk. Errors: `invalid_spec` if `target` is in use, `no_space` before anything is
/// written, `journal_corrupt` and `blob_missing` if the backup is damaged, `newer_format`,
/// `io_failed`.
result<restore_report> restore(const std::filesystem::path& backup,
                               const std::filesystem::path& target,
                               const copy_options& options = {});

/// An incarnation after `before` that no other restore of the same backup gets: the milliseconds
/// since 1970 and ten random bits. It grows, and fits a JSON number.
std::uint64_t next_incarnation(std::uint64_t before,
                               std::chrono::sys_time<std::chrono::milliseconds> now,
                               std::uint64_t random) noexcept;
/// One that begins now.
std::uint64_t next_incarnation(std::uint64_t before);

} // namespace troupe::storage
