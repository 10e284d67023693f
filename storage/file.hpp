#pragma once

#include "core/bytes.hpp"
#include "storage/file_ops.hpp"
#include "troupe/error.hpp"

#include <optional>
#include <span>

namespace troupe::storage {

/// What to tell of a failed system call: `no_space` or `io_failed`, with the path and the reason.
/// `failed` is the `-errno` of `file_ops`.
error os_error(const char* verb, const std::filesystem::path& name, std::int64_t failed);

/// An open file; closes itself. The operations may be called from any thread.
/// Errors of all: `io_failed`, `no_space`.
class file {
public:
  static result<file> open(file_ops& ops, const std::filesystem::path& name, int flags);

  /// Takes over an open descriptor.
  file(file_ops& ops, std::filesystem::path name, int fd)
      : ops_(&ops), name_(std::move(name)), fd_(fd) {}

  file(file&& other) noexcept;
  file& operator=(file&& other) noexcept;
  ~file();

  /// Reads until `into` is full or the file ends; tells how much was there.
  result<std::size_t> read(std::span<std::uint8_t> into, std::uint64_t offset) const;
  /// Writes all parts, one after another. The parts are used up.
  status write(std::span<iovec> parts, std::uint64_t offset);
  status write(core::byte_view data, std::uint64_t offset);
  /// Makes the content durable. After a failure nothing is known of it: never call it again.
  status sync_data();
  status sync();
  status truncate(std::uint64_t size);
  result<std::uint64_t> size() const;

  const std::filesystem::path& name() const noexcept { return name_; }
  int descriptor() const noexcept { return fd_; }

private:
  file_ops* ops_;
  std::filesystem::path name_;
  int fd_;
};

/// Makes the entries of a directory durable: new, renamed and removed names.
status sync_directory(file_ops& ops, const std::filesystem::path& directory);

/// Makes a directory and those above it, each durable in its parent. One that is there is synced
/// in its parent, too: whoever made it may have died before that.
status make_directories(file_ops& ops, const std::filesystem::path& directory);

/// The content of a file; nothing if there is no such file. Errors: `io_failed`.
result<std::optional<core::bytes>> read_file(file_ops& ops, const std::filesystem::path& name);

/// Writes `through`, syncs it, gives it its name and syncs the directory: a crash leaves either
/// the old file or the new one. Both names are in the same file system.
status replace_file(file_ops& ops, const std::filesystem::path& name,
                    const std::filesystem::path& through, core::byte_view data);

} // namespace troupe::storage
