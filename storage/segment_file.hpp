#pragma once

#include "storage/file.hpp"
#include "storage/segment_format.hpp"

#include <map>
#include <stop_token>

namespace troupe::storage {

/// The file of a segment: its number in 16 hexadecimal digits, `.seg`.
std::filesystem::path segment_path(const std::filesystem::path& directory, std::uint64_t number);

/// The numbers of the segments in a directory, in order. Errors: `io_failed`.
result<std::vector<std::uint64_t>> list_segments(file_ops& ops,
                                                 const std::filesystem::path& directory);

/// Reads a segment from front to back through a buffer. For one thread.
class segment_view {
public:
  /// Errors: `journal_corrupt` if its size is none that a segment has; `io_failed`, `no_space`.
  static result<segment_view> open(file_ops& ops, const std::filesystem::path& directory,
                                   std::uint64_t number, int flags);

  std::uint32_t size() const noexcept { return size_; }
  file& handle() noexcept { return file_; }

  /// `size` bytes at `offset`, valid until the next call; empty beyond the end of the file or
  /// after a failure, which `failure` tells.
  core::byte_view at(std::uint32_t offset, std::uint32_t size);
  const status& failure() const noexcept { return failure_; }

  /// The next `at` reads from the file again, as its writer may have gone on.
  void forget() noexcept { buffered_ = 0; }

private:
  segment_view(file handle, std::uint32_t size) : file_(std::move(handle)), size_(size) {}

  file file_;
  std::uint32_t size_;
  core::bytes buffer_;
  std::uint32_t start_ = 0;
  std::size_t buffered_ = 0;
  status failure_;
};

/// As `file::open`. Errors: also `overloaded` while there are too few descriptors, or too little
/// memory: that says nothing of the disk, and passes.
result<file> open_unless_short(file_ops& ops, const std::filesystem::path& name, int flags);

/// Makes a segment of `size` written zeros, so that a commit allocates nothing, under a passing
/// name, and gives it its own when all is durable; an unused one of the same number is replaced.
/// Errors: `no_space`, `io_failed`; `overloaded` as `open_unless_short`; `not_ready` if it was
/// asked to stop.
status prepare_segment(file_ops& ops, const std::filesystem::path& directory, std::uint64_t number,
                       std::uint32_t size, const std::stop_token& stop);

/// Old segments that wait to become new ones, by their old number, with their sizes. What has no
/// size that a segment has is removed. Errors: `io_failed`.
result<std::map<std::uint64_t, std::uint32_t>> list_spares(file_ops& ops,
                                                           const std::filesystem::path& directory);

/// Makes a spare of a segment: what is in it counts no more. Does not sync.
status keep_as_spare(file_ops& ops, const std::filesystem::path& directory, std::uint64_t number);

/// Removes a segment, or a spare; one that is not there is no error. Does not sync.
status remove_segment(file_ops& ops, const std::filesystem::path& directory, std::uint64_t number);
status remove_spare(file_ops& ops, const std::filesystem::path& directory, std::uint64_t number);

/// As `prepare_segment`, out of a spare of that size: takes no new blocks. The spare gets its name
/// only when its zeros are durable. Errors: as there.
status reuse_spare(file_ops& ops, const std::filesystem::path& directory, std::uint64_t spare,
                   std::uint64_t number, std::uint32_t size, const std::stop_token& stop);

/// Removes what a crash left of `prepare_segment`.
void remove_unprepared(file_ops& ops, const std::filesystem::path& directory);

/// The batch at a place, whole; nothing if none is valid there, or after a failure of the view.
/// What it points at is valid until the view reads on.
std::optional<decoded_batch> batch_at(segment_view& segment, const batch_place& at);

/// Overwrites with zeros what is not zero in `[from, to)`. Does not sync.
status clear(segment_view& segment, std::uint32_t from, std::uint32_t to);

/// Writes `[from, to)` once more as it is read: after a failed sync the system may show bytes that
/// the disk never got, and would not write them again by itself. Does not sync.
status rewrite(segment_view& segment, std::uint32_t from, std::uint32_t to);

} // namespace troupe::storage
