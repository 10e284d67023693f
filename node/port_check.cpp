#include "node/port_check.hpp"

#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::node {

namespace {

std::optional<std::string> try_at(const addrinfo& x) {
  int fd = ::socket(x.ai_family, x.ai_socktype | SOCK_CLOEXEC, x.ai_protocol);
  if (fd < 0)
    return std::strerror(errno);
  int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  std::optional<std::string> why;
  if (::bind(fd, x.ai_addr, x.ai_addrlen) != 0 || ::listen(fd, 1) != 0)
    why = std::strerror(errno);
  ::close(fd);
  return why;
}

} // namespace

std::optional<std::string> why_not_listen(const std::string& address, std::uint16_t port) {
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV | (address == "localhost" ? 0 : AI_NUMERICHOST);
  auto failed = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &wanted, &found);
  if (failed != 0)
    return ::gai_strerror(failed);
  auto why = try_at(*found);
  ::freeaddrinfo(found);
  return why;
}

} // namespace troupe::node
