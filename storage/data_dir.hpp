#pragma once

#include "storage/file.hpp"
#include "storage/manifest.hpp"

namespace troupe::storage {

/// Where what takes the place of a part is made. What a crash left there goes when the directory is
/// opened to write.
inline constexpr const char* journal_passing_name = "journal.tmp";
inline constexpr const char* compact_passing_name = "compact.tmp";
/// In a directory that a backup or a restore fills: it is no data directory before that ends.
inline constexpr const char* copy_passing_name = "copy.partial";

enum class open_mode {
  write, ///< Makes the directory if it is not there; locks it against other writers.
  read,  ///< Beside a process that writes; changes nothing.
};

/// What may be chosen when a data directory is opened.
struct data_dir_options {
  std::uint16_t shards = default_shards; ///< Only when it is made; fixed from then on.
  std::optional<node_id> expected_node;  ///< Refuse any other.
  std::uint64_t incarnation = 1;         ///< Only when it is made: of jobs that lived elsewhere.
  file_ops* files = &system_files();
};

/// The directory where a node keeps everything: `MANIFEST`, `LOCK`, `journal/`, `blobs/`. The lock
/// goes with this object. Thread-safe.
class data_dir {
public:
  data_dir(data_dir&&) noexcept = default;
  data_dir& operator=(data_dir&&) noexcept = default;
  ~data_dir();

  /// Errors: `already_open`, `newer_format`, `wrong_node`, `journal_corrupt` if the manifest is
  /// damaged or gone, `io_failed`, also for a backup, which stays as it is, `no_space`. Each names
  /// the path and what to do.
  static result<data_dir> open(const std::filesystem::path& directory, open_mode mode,
                               const data_dir_options& options = {});

  /// Makes it of the newest format, for good: older versions refuse it from here on. Only if it
  /// was opened to write, has its snapshot, and is not shared yet. Errors: `io_failed`, `no_space`;
  /// then it is as it was.
  status upgrade();

  /// A directory with the same parts that is no data directory, to read: a backup. Opens nothing.
  static data_dir of_parts(std::filesystem::path path, const manifest& about,
                           file_ops& files = system_files()) {
    data_dir parts{std::move(path), files};
    parts.about_ = about;
    return parts;
  }

  const manifest& about() const noexcept { return about_; }
  open_mode mode() const noexcept { return lock_ ? open_mode::write : open_mode::read; }
  file_ops& files() const noexcept { return *files_; }
  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path journal_path() const { return path_ / "journal"; }
  std::filesystem::path blobs_path() const { return path_ / "blobs"; }

private:
  data_dir(std::filesystem::path path, file_ops& files) : path_(std::move(path)), files_(&files) {}

  status load(const data_dir_options& options);
  status create(const data_dir_options& options);
  status write_manifest(const manifest& x);

  std::filesystem::path path_;
  file_ops* files_;
  std::optional<file> lock_;
  manifest about_;
};

} // namespace troupe::storage
