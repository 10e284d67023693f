#include "node/output_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::node {

namespace {

constexpr mode_t own = 0600;

/// Before anything is in it, nobody else may read it. True also for what has no mode of its own.
bool make_private(int fd) {
  struct stat about {};
  if (::fstat(fd, &about) != 0)
    return false;
  if (!S_ISREG(about.st_mode))
    return true;
  return ::ftruncate(fd, 0) == 0 && ((about.st_mode & 0777) == own || ::fchmod(fd, own) == 0);
}

} // namespace

output_file::output_file(const std::string& path)
    : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, own)) {
  if (fd_ < 0 || make_private(fd_))
    return;
  auto why = errno;
  ::close(fd_);
  fd_ = -1;
  errno = why;
}

output_file::~output_file() {
  if (fd_ >= 0)
    ::close(fd_);
}

bool output_file::write(std::string_view text) {
  while (fd_ >= 0 && !text.empty()) {
    auto n = ::write(fd_, text.data(), text.size());
    if (n < 0 && errno != EINTR)
      return false;
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  }
  return fd_ >= 0;
}

bool output_file::sync() {
  return fd_ >= 0 && (::fsync(fd_) == 0 || errno == EINVAL || errno == EROFS);
}

} // namespace troupe::node
