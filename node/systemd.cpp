#include "node/systemd.hpp"

#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace troupe::node {

namespace {

std::optional<std::uint64_t> number_of(const char* name) {
  auto text = std::getenv(name);
  if (!text)
    return {};
  std::uint64_t x = 0;
  auto end = text + std::strlen(text);
  auto [at, failed] = std::from_chars(text, end, x);
  return failed == std::errc{} && at == end ? std::optional{x} : std::nullopt;
}

/// The address of a socket: a path, or with `@` in front a name that no file has.
std::optional<std::pair<sockaddr_un, socklen_t>> address_of(std::string_view path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.size() < 2 || path.size() >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
    return {};
  std::memcpy(to.sun_path, path.data(), path.size());
  if (path[0] == '@')
    to.sun_path[0] = '\0';
  return std::pair{to, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size())};
}

} // namespace

bool notify_service_manager(std::string_view state) {
  auto path = std::getenv("NOTIFY_SOCKET");
  auto to = path ? address_of(path) : std::nullopt;
  if (!to)
    return false;
  int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return false;
  auto sent = ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL,
                       reinterpret_cast<const sockaddr*>(&to->first), to->second);
  ::close(fd);
  return sent == static_cast<ssize_t>(state.size());
}

std::optional<std::chrono::microseconds> watchdog_time() {
  auto time = number_of("WATCHDOG_USEC");
  if (auto pid = number_of("WATCHDOG_PID"); pid && *pid != static_cast<std::uint64_t>(::getpid()))
    return {};
  return time && *time > 0 ? std::optional{std::chrono::microseconds{*time}} : std::nullopt;
}

watchdog::watchdog(question alive) {
  auto time = watchdog_time();
  if (!time)
    return;
  thread_ = std::jthread{[alive = std::move(alive), pause = *time / 2](std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    for (bool told_trouble = false; !stop.stop_requested();) {
      auto lives = alive(std::chrono::ceil<std::chrono::milliseconds>(pause / 2));
      auto is_back = std::exchange(told_trouble, !lives) && lives;
      notify_service_manager(!lives    ? "STATUS=not well: " + lives.error().detail
                             : is_back ? "WATCHDOG=1\nSTATUS="
                                       : "WATCHDOG=1");
      std::unique_lock lock{mutex};
      stopped.wait_for(lock, stop, pause, [] { return false; });
    }
  }};
}

} // namespace troupe::node
