#include "node/output_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace troupe::node {

output_file::output_file(const std::string& path)
    : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}

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
