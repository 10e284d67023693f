#include "node/open_files.hpp"

#include <sys/resource.h>

namespace troupe::node {

void raise_open_files() noexcept {
  rlimit now{};
  if (::getrlimit(RLIMIT_NOFILE, &now) != 0)
    return;
  now.rlim_cur = now.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &now);
}

} // namespace troupe::node
