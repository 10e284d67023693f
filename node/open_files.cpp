#include "node/open_files.hpp"

#include "actors/kinds/process_spawn.hpp"

#include <limits>
#include <sys/resource.h>

namespace troupe::node {

void raise_open_files() noexcept {
  rlimit now{};
  if (::getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur == now.rlim_max)
    return;
  actors::limit_open_files_of_programs(now.rlim_cur);
  now.rlim_cur = now.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &now);
}

std::uint64_t open_files_max() noexcept {
  rlimit now{};
  if (::getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur == RLIM_INFINITY)
    return std::numeric_limits<std::uint64_t>::max();
  return now.rlim_cur;
}

} // namespace troupe::node
