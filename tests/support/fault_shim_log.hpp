#pragma once

#include "tests/support/fault_log.hpp"
#include "tests/support/fault_shim_faults.hpp"

#include <algorithm>
#include <string_view>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

namespace troupe::tests {

/// Appends what a program does to a log. Changes go through `changing`, one at a time, of all
/// processes with this log: their order there is their order. A sync may cover whatever returned
/// before it began. `Write` is the system's own `write`.
class shim_log {
public:
  using write_function = ssize_t (*)(int, const void*, size_t);

  shim_log(const std::string& file, int (*open)(const char*, int, ...), write_function write)
      : write_(write) {
    if (!file.empty())
      fd_ = open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }

  bool on() const noexcept { return fd_ >= 0; }

  /// Calls `change`, which logs what it did by `add`, while no one else changes anything.
  template <class Change>
  auto changing(Change change) {
    std::scoped_lock alone{changing_mutex()};
    ::flock(fd_, LOCK_EX);
    auto answer = change();
    int failed = errno;
    ::flock(fd_, LOCK_UN);
    errno = failed;
    return answer;
  }

  /// Within `changing`.
  void add(const fault_record& x) {
    auto raw = encode(x);
    for (std::string_view left{raw}; !left.empty();) {
      auto n = write_(fd_, left.data(), left.size());
      if (n <= 0)
        std::abort(); // A log with a gap would blame the program.
      left.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  /// Where the next entry will stand, within `changing`.
  std::uint64_t end() const {
    struct stat about {};
    ::fstat(fd_, &about);
    return static_cast<std::uint64_t>(about.st_size);
  }

private:
  int fd_ = -1;
  write_function write_;
};

inline std::uint64_t inode_of(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 ? about.st_ino : 0;
}

inline std::uint64_t inode_of(const char* name) {
  struct stat about {};
  return ::lstat(name, &about) == 0 ? about.st_ino : 0;
}

/// A write of the first `size` bytes of the parts.
inline fault_record write_record(int fd, off_t offset, const iovec* parts, int n,
                                 std::size_t size) {
  fault_record x;
  x.what = fault_record::kind::write;
  x.durable = (::fcntl(fd, F_GETFL) & (O_DSYNC | O_SYNC)) != 0;
  x.inode = inode_of(fd);
  x.offset = static_cast<std::uint64_t>(offset);
  x.size = size;
  for (int i = 0; i < n && x.data.size() < size; ++i)
    x.data.append(static_cast<const char*>(parts[i].iov_base),
                  std::min(parts[i].iov_len, size - x.data.size()));
  if (x.data.find_first_not_of('\0') == x.data.npos)
    x.data.clear(); // Segments are filled with zeros.
  return x;
}

using op = fault_record::kind;

inline shim_log& log() {
  static shim_log x{set().log, real("open", static_cast<int (*)(const char*, int, ...)>(nullptr)),
                    real("write", &::write)};
  return x;
}

inline bool logs(const std::string& name) { return log().on() && name.starts_with(set().below); }
inline bool logs(int fd) { return log().on() && logs(name_of(fd)); }

/// Standard output, if it is what a test reads, not the pipe of a vertex.
inline void tell(const void* data, std::size_t size) {
  struct stat about {};
  if (!log().on() || ::fstat(STDOUT_FILENO, &about) != 0 || !S_ISREG(about.st_mode))
    return;
  fault_record x;
  x.what = op::told;
  x.data.assign(static_cast<const char*>(data), size);
  log().changing([&] {
    log().add(x);
    return 0;
  });
}

/// A write, at `offset` or, if that is negative, where the file stands.
template <class Write>
ssize_t written(int fd, off_t offset, const iovec* parts, int n, Write write) {
  if (!logs(fd))
    return write();
  return log().changing([&] {
    if (offset < 0)
      offset = ::lseek(fd, 0, ::fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    auto size = write();
    if (size > 0)
      log().add(write_record(fd, offset, parts, n, static_cast<std::size_t>(size)));
    return size;
  });
}

/// A change of names, or of a size, that answers 0.
template <class Change>
int changed(bool logged, fault_record x, Change change) {
  if (!logged)
    return change();
  return log().changing([&] {
    int answer = change();
    if (answer == 0 && x.what == op::make_directory)
      x.inode = inode_of(x.name.c_str());
    if (answer == 0)
      log().add(x);
    return answer;
  });
}

inline fault_record of_names(op what, const std::string& name, const std::string& to = {}) {
  fault_record x;
  x.what = what;
  x.name = name;
  x.to = to;
  return x;
}

inline fault_record of_file(op what, int fd, std::uint64_t size = 0) {
  fault_record x;
  x.what = what;
  x.inode = inode_of(fd);
  x.size = size;
  return x;
}

/// A sync of this file, or of all.
template <class Sync>
int synced(int fd, Sync sync, bool all = false) {
  count(fd);
  delay(fd);
  hold(fd);
  if (fails(fd))
    return fail();
  if (!logs(fd))
    return sync();
  auto x = of_file(op::sync, fd);
  x.name = name_of(fd);
  x.inode = all ? 0 : x.inode;
  x.covers = log().changing([&] { return log().end(); });
  int answer = sync();
  if (answer == 0)
    changed(true, x, [] { return 0; });
  return answer;
}

/// More room than the file had makes it longer.
template <class Make>
int made_room(int fd, off_t end, Make make) {
  struct stat about {};
  bool longer = ::fstat(fd, &about) == 0 && end > about.st_size;
  return changed(longer && logs(fd), of_file(op::resize, fd, static_cast<std::uint64_t>(end)),
                 make);
}

inline void mapped(int protection, int flags, int fd) {
  if (fd >= 0 && (protection & PROT_WRITE) && (flags & MAP_SHARED) && logs(fd))
    changed(true, of_file(op::map, fd), [] { return 0; });
}

/// Opens, and logs a file that was not there before, or is empty now.
template <class Open>
int opened(const std::string& name, int flags, Open open) {
  if (!(flags & (O_CREAT | O_TRUNC)))
    return open();
  count(name);
  if (!logs(name))
    return open();
  return log().changing([&] {
    bool there = is_there(name);
    int fd = open();
    auto x = of_file(there ? op::resize : op::make, fd);
    x.name = name;
    if (fd >= 0 && (!there || (flags & O_TRUNC)))
      log().add(x);
    return fd;
  });
}

} // namespace troupe::tests
