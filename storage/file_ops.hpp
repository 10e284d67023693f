#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <sys/uio.h>
#include <vector>

namespace troupe::storage {

/// What is told of a file without opening it.
struct file_about {
  std::uint64_t size = 0; ///< Bytes.
  std::chrono::sys_time<std::chrono::milliseconds> modified{};
};

/// Bytes of a file system, and those that this process may still take.
struct disk_space {
  std::uint64_t total = 0, free = 0;
};

/// The file operations that storage uses: the seam where tests inject faults. Each answers as its
/// system call does, but an error is `-errno`. Thread-safe.
class file_ops {
public:
  using path = std::filesystem::path;

  virtual ~file_ops() = default;

  /// Opens a file or directory, always `O_CLOEXEC`; a new file is readable by its owner only.
  virtual int open(const path& name, int flags) = 0;
  virtual void close(int fd) = 0;
  virtual ssize_t pread(int fd, void* into, std::size_t size, std::uint64_t offset) = 0;
  virtual ssize_t pwritev(int fd, const iovec* parts, int count, std::uint64_t offset) = 0;
  virtual int fdatasync(int fd) = 0;
  virtual int fsync(int fd) = 0;
  virtual int truncate(int fd, std::uint64_t size) = 0;
  virtual std::int64_t size(int fd) = 0;
  /// Locks the open file for itself alone; `-EWOULDBLOCK` if another one has it.
  virtual int lock(int fd) = 0;
  /// Locks it beside others who do the same; `-EWOULDBLOCK` if one has it for itself alone.
  virtual int lock_shared(int fd) = 0;
  virtual int unlock(int fd) = 0;
  virtual int rename(const path& from, const path& to) = 0;
  virtual int unlink(const path& name) = 0;
  virtual int make_directory(const path& name) = 0;
  virtual int about(const path& name, file_about& x) = 0;
  /// The file was modified now.
  virtual int touch(const path& name) = 0;
  /// Of the file system that holds `name`.
  virtual int space(const path& name, disk_space& x) = 0;
  /// Appends the names of a directory's entries, in no order.
  virtual int list(const path& directory, std::vector<std::string>& names) = 0;
};

/// The operating system. What root makes in another user's directory belongs to that user.
file_ops& system_files();

} // namespace troupe::storage
