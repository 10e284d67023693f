#include "node/output_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

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
  if (fd_ >= 0 && make_private(fd_))
    return;
  fail();
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

output_file::~output_file() {
  if (fd_ >= 0)
    ::close(fd_);
}

bool output_file::fail() {
  if (failed_ == 0)
    failed_ = errno;
  return false;
}

bool output_file::write(std::string_view text) {
  while (fd_ >= 0 && !text.empty()) {
    auto n = ::write(fd_, text.data(), text.size());
    if (n < 0 && errno != EINTR)
      return fail();
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  }
  return fd_ >= 0;
}

bool output_file::sync() {
  if (fd_ < 0)
    return false;
  return ::fsync(fd_) == 0 || errno == EINVAL || errno == EROFS || fail();
}

} // namespace troupe::node
