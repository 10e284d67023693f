#pragma once

#include <string>

namespace troupe::node {

/// Whether a server can listen there: an IPv4 or IPv6 address, or `localhost`.
bool is_address(const std::string& text);

/// Whether only this machine can reach it: 127.0.0.0/8, `::1` or `localhost`.
bool is_loopback(const std::string& address);

/// Whether it stands for all addresses of this machine: `0.0.0.0` or `::`.
bool is_wildcard(const std::string& address);

} // namespace troupe::node
