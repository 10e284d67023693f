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

/// The directory of another user, in which root makes something for that user. Through its
/// descriptor, so that what is made lies where it belongs, whatever the user moves meanwhile.
class foreign_directory {
public:
  /// The one that is to hold `name`.
  explicit foreign_directory(const std::filesystem::path& name) : name_(name.filename()) {
    if (::geteuid() != 0)
      return;
    auto above = name.has_parent_path() ? name.parent_path() : ".";
    fd_ = ::open(above.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    is_foreign_ = fd_ >= 0 && ::fstat(fd_, &about_) == 0 && about_.st_uid != 0;
  }
  ~foreign_directory() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  foreign_directory(const foreign_directory&) = delete;
  foreign_directory& operator=(const foreign_directory&) = delete;

  explicit operator bool() const noexcept { return is_foreign_; }

  int make_file(int flags) const {
    int fd = ::openat(fd_, name_.c_str(), flags | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : given(fd);
  }

  int make_directory() const {
    if (::mkdirat(fd_, name_.c_str(), 0700) < 0)
      return -errno;
    int fd = ::openat(fd_, name_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
      ::close(given(fd));
    return 0;
  }

private:
  /// File systems that let nobody give anything away decide themselves whose it is.
  int given(int fd) const {
    [[maybe_unused]] int ignored = ::fchown(fd, about_.st_uid, about_.st_gid);
    return fd;
  }

  std::filesystem::path name_;
  int fd_ = -1;
  bool is_foreign_ = false;
  struct stat about_ {};
};

class system_file_ops final : public file_ops {
public:
  int open(const path& name, int flags) override {
    if (flags & O_CREAT)
      if (foreign_directory in{name}; in)
        if (int made = in.make_file(flags); made != -EEXIST || (flags & O_EXCL))
          return made;
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
  int make_directory(const path& name) override {
    foreign_directory in{name};
    return in ? in.make_directory() : or_errno(::mkdir(name.c_str(), 0700));
  }

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
