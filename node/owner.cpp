#include "node/owner.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace troupe::node {

bool has_owner(const std::filesystem::path& directory) {
  auto fd = ::open((directory / "LOCK").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false; // Nobody can own what has no lock.
  auto owned = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return owned;
}

} // namespace troupe::node
