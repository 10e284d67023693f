#include "node/logging/line_output.hpp"

#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::node {

namespace {

constexpr int look_every_ms = 20; ///< While there is no room.

/// The same pipe or terminal, where writing never waits; -1 if it is neither, or may not be opened.
/// A flag of `to` itself would change it for whoever else has it.
int opened_anew(int to, const struct stat& about) {
  if (!S_ISFIFO(about.st_mode) && ::isatty(to) != 1)
    return -1;
  auto name = "/proc/self/fd/" + std::to_string(to);
  return ::open(name.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

bool has_room(int to, int wait_ms) {
  pollfd x{to, POLLOUT, 0};
  return ::poll(&x, 1, wait_ms) == 1;
}

/// Waits for a moment, or for room. A terminal with less of it than the end of a line takes says
/// that there is some, and then takes nothing: it is not believed twice in a row.
bool wait_for_room(int to, bool had_room) {
  if (!had_room)
    return has_room(to, look_every_ms);
  ::poll(nullptr, 0, look_every_ms);
  return false;
}

} // namespace

line_output::line_output(int to) : to_(to) {
  struct stat about {};
  if (::fstat(to, &about) != 0)
    return;
  is_socket_ = S_ISSOCK(about.st_mode);
  auto own = opened_anew(to, about);
  is_own_ = own >= 0;
  to_ = is_own_ ? own : to;
}

line_output::~line_output() {
  if (is_own_)
    ::close(to_);
}

/// As `write(2)`, but `EAGAIN` instead of waiting. A pipe that has room takes `PIPE_BUF` at once.
ssize_t line_output::put(std::string_view piece) {
  piece = piece.substr(0, PIPE_BUF);
  if (is_socket_)
    return ::send(to_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (is_own_ || has_room(to_, 0))
    return ::write(to_, piece.data(), piece.size());
  errno = EAGAIN;
  return -1;
}

bool line_output::write(std::string_view line, const std::function<bool()>& gives_up) {
  auto own_line = is_cut_ ? "\n" + std::string{line} : std::string{};
  auto left = is_cut_ ? std::string_view{own_line} : line;
  auto had_room = false;
  while (!left.empty()) {
    auto wrote = put(left);
    if (wrote >= 0) {
      left.remove_prefix(static_cast<std::size_t>(wrote));
      is_cut_ = !left.empty();
      had_room = false;
    } else if (errno != EINTR) {
      if (errno != EAGAIN || gives_up())
        return false;
      had_room = wait_for_room(to_, had_room);
    }
  }
  return true;
}

} // namespace troupe::node
