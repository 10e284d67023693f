#include "node/standard_files.hpp"

#include <cerrno>
#include <fcntl.h>
#include <initializer_list>
#include <unistd.h>

namespace troupe::node {

void keep_standard_files() noexcept {
  constexpr int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY}; // By descriptor.
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF && ::open("/dev/null", modes[fd]) < 0)
      ::_exit(1); // Nobody could be told.
}

} // namespace troupe::node
