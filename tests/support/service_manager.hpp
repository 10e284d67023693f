#pragma once

#include "tests/support/catch.hpp"

#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace troupe::tests {

/// A service manager's end of the socket that `NOTIFY_SOCKET` names while this is there.
struct service_manager {
  int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);

  explicit service_manager(std::string address) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, address.data(), address.size());
    if (address[0] == '@')
      at.sun_path[0] = '\0';
    auto size = socklen_t(offsetof(sockaddr_un, sun_path) + address.size());
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0);
    ::setenv("NOTIFY_SOCKET", address.c_str(), 1);
  }
  ~service_manager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
    ::close(fd);
  }

  /// The next message; `nothing` if none came in time.
  std::string next() const {
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, 60'000) != 1)
      return "nothing";
    char text[256];
    auto size = ::recv(fd, text, sizeof text, 0);
    return {text, std::size_t(size)};
  }
  /// Whether no message is there.
  bool silent() const {
    pollfd ready{fd, POLLIN, 0};
    return ::poll(&ready, 1, 0) == 0;
  }
};

} // namespace troupe::tests
