#include "storage/file_ops.hpp"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace troupe::storage {

namespace {

template <class T>
T or_errno(T answer) {
  return answer < 0 ? -errno : answer;
}

class system_file_ops final : public file_ops {
public:
  int open(const path& name, int flags) override {
    return or_errno(::open(name.c_str(), flags | O_CLOEXEC, 0600));
  }
  void close(int fd) override { ::close(fd); }
  ssize_t pread(int fd, void* into, std::size_t size, std::uint64_t offset) override {
    return or_errno(::pread(fd, into, size, static_cast<off_t>(offset)));
  }
  ssize_t pwritev(int fd, const iovec* parts, int count, std::uint64_t offset) override {
    return or_errno(::pwritev(fd, parts, count, static_cast<off_t>(offset)));
  }
  int fdatasync(int fd) override { return or_errno(::fdatasync(fd)); }
  int fsync(int fd) override { return or_errno(::fsync(fd)); }
  int truncate(int fd, std::uint64_t size) override {
    return or_errno(::ftruncate(fd, static_cast<off_t>(size)));
  }
  std::int64_t size(int fd) override {
    struct stat about {};
    return ::fstat(fd, &about) < 0 ? -errno : about.st_size;
  }
  int lock(int fd) override { return or_errno(::flock(fd, LOCK_EX | LOCK_NB)); }
  int lock_shared(int fd) override { return or_errno(::flock(fd, LOCK_SH | LOCK_NB)); }
  int unlock(int fd) override { return or_errno(::flock(fd, LOCK_UN)); }
  int rename(const path& from, const path& to) override {
    return or_errno(::rename(from.c_str(), to.c_str()));
  }
  int unlink(const path& name) override { return or_errno(::unlink(name.c_str())); }
  int make_directory(const path& name) override { return or_errno(::mkdir(name.c_str(), 0700)); }

  int about(const path& name, file_about& x) override {
    struct stat found {};
    if (::stat(name.c_str(), &found) < 0)
      return -errno;
    auto since_epoch = std::chrono::seconds{found.st_mtim.tv_sec}
                       + std::chrono::nanoseconds{found.st_mtim.tv_nsec};
    x.size = static_cast<std::uint64_t>(found.st_size);
    x.modified = decltype(x.modified){std::chrono::floor<std::chrono::milliseconds>(since_epoch)};
    return 0;
  }

  int touch(const path& name) override {
    return or_errno(::utimensat(AT_FDCWD, name.c_str(), nullptr, 0));
  }

  int space(const path& name, disk_space& x) override {
    struct statvfs found {};
    if (::statvfs(name.c_str(), &found) < 0)
      return -errno;
    x.total = std::uint64_t{found.f_blocks} * found.f_frsize;
    x.free = std::uint64_t{found.f_bavail} * found.f_frsize;
    return 0;
  }

  int list(const path& directory, std::vector<std::string>& names) override {
    auto* stream = ::opendir(directory.c_str());
    if (!stream)
      return -errno;
    errno = 0;
    while (const auto* entry = ::readdir(stream))
      if (std::string_view name{entry->d_name}; name != "." && name != "..")
        names.emplace_back(name);
    int failed = errno;
    ::closedir(stream);
    return -failed;
  }
};

} // namespace

file_ops& system_files() {
  static system_file_ops files;
  return files;
}

} // namespace troupe::storage
