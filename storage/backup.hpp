#pragma once

#include "storage/backup_manifest.hpp"

namespace troupe::storage {

/// How far a copy has come.
struct copy_progress {
  const char* part = ""; ///< `snapshot`, `journal`, `blobs`, `check`.
  std::uint64_t bytes = 0, bytes_total = 0;
};

/// What may be chosen for a copy.
struct copy_options {
  std::function<void(const copy_progress&)> progress; ///< From time to time, if set.
};

/// What a backup will take at most.
struct backup_need {
  std::uint64_t snapshot = 0, journal = 0, blobs = 0; ///< Bytes.
  std::uint64_t free = 0;                             ///< Where it is to be written.
  std::uint64_t all() const noexcept { return snapshot + journal + blobs; }
};

/// Copies a data directory into a new directory, also beside the process that writes to it. All
/// that was acknowledged when it was called is in the copy, which is one moment of every shard;
/// every row, record and blob is checked on the way. `target` must not exist or be empty; it is a
/// backup when all is on the disk. Meanwhile the owner keeps what it would trim or sweep.
/// Errors: `invalid_spec` if `target` is in use, `no_space` with what is needed, before anything
/// is written, `journal_corrupt` and `blob_missing` if the data is damaged, `io_failed`,
/// `newer_format`, `wrong_node`, `timed_out`, `unknown_record`.
result<backup_manifest> back_up(const std::filesystem::path& data,
                                const std::filesystem::path& target,
                                const copy_options& options = {});

/// A directory that is nothing until all of it is on the disk. One that is new is `NAME.partial`
/// until then. An empty one that is there stays what it is (a mount point, say), with its owner and
/// mode: it is filled from `NAME/copy.partial`, and what says what it is comes into it last. What
/// is left of one that was not finished has to be removed by a person.
class passing_directory {
public:
  /// `target` may be a link to an empty directory, and may hold `lost+found`. Errors:
  /// `invalid_spec` if either name is taken by something, `io_failed`, `no_space`.
  static result<passing_directory> make(const std::filesystem::path& target);
  passing_directory(passing_directory&& other) noexcept
      : path_(std::exchange(other.path_, {})),
        target_(std::move(other.target_)),
        moved_(std::exchange(other.moved_, {})) {}
  /// Removes what was not finished.
  ~passing_directory();

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Syncs all of it and makes it the target. Errors: `io_failed`, `no_space`.
  status finish();

private:
  passing_directory(std::filesystem::path path, std::filesystem::path target)
      : path_(std::move(path)), target_(std::move(target)) {}

  status become_target();
  status fill_target();

  std::filesystem::path path_, target_;
  std::vector<std::string> moved_; ///< Names that are in the target by now.
};

} // namespace troupe::storage
