#include "node/open_files.hpp"

#include "actors/kinds/process_spawn.hpp"

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

} // namespace troupe::node
