#pragma once

#include <cstdlib>
#include <string>

namespace troupe::client {

/// Whom no proxy is asked for, as libcurl takes it: this machine, and what `no_proxy` or `NO_PROXY`
/// of the environment says. Not while another thread changes the environment.
inline std::string without_proxy() {
  auto said = std::getenv("no_proxy");
  if (!said || !*said)
    said = std::getenv("NO_PROXY");
  std::string others = said ? said : "";
  return others == "*" ? others : "localhost,127.0.0.1,::1" + (others.empty() ? "" : "," + others);
}

} // namespace troupe::client
