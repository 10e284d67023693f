#include "node/config/addresses.hpp"

#include <arpa/inet.h>
#include <optional>

namespace troupe::node {

namespace {

std::optional<in_addr> ipv4(const std::string& text) {
  in_addr x{};
  return ::inet_pton(AF_INET, text.c_str(), &x) == 1 ? std::optional{x} : std::nullopt;
}

std::optional<in6_addr> ipv6(const std::string& text) {
  in6_addr x{};
  return ::inet_pton(AF_INET6, text.c_str(), &x) == 1 ? std::optional{x} : std::nullopt;
}

constexpr std::uint32_t loopback_net = 127;

} // namespace

bool is_address(const std::string& text) { return text == "localhost" || ipv4(text) || ipv6(text); }

bool is_loopback(const std::string& address) {
  if (auto x = ipv4(address))
    return ntohl(x->s_addr) >> 24 == loopback_net;
  auto x = ipv6(address);
  return x ? IN6_IS_ADDR_LOOPBACK(&*x) : address == "localhost";
}

bool is_wildcard(const std::string& address) {
  if (auto x = ipv4(address))
    return x->s_addr == INADDR_ANY;
  auto x = ipv6(address);
  return x && IN6_IS_ADDR_UNSPECIFIED(&*x);
}

} // namespace troupe::node
