#pragma once

#include "node/config/node_config.hpp"
#include "node/console.hpp"
#include "node/node_services.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe::node {

/// What `troupe serve` was asked for; what is set goes before the configuration.
struct serve_options {
  std::string config; ///< A file; empty: none.
  std::optional<std::string> data, address, tls_cert, tls_key;
  std::optional<std::uint16_t> port;
  std::vector<std::string> kinds; ///< Added to those that are allowed.
  std::vector<std::string> hosts; ///< Added to those that are allowed.
  bool check = false;             ///< Only say what is wrong with the configuration.

  /// Whether something goes before the configuration.
  bool has_settings() const noexcept {
    return data || address || tls_cert || tls_key || port || !kinds.empty() || !hosts.empty();
  }
};

/// A configuration with what the command line says on top. Pure.
node_config configured(node_config from, const serve_options& options);

/// Told once a node takes calls, with where it does.
using serving = std::function<void(runtime& node, const std::string& url)>;

/// What SIGHUP means: read the configuration again, as a service does, or end with the terminal.
enum class hangup : std::uint8_t { reloads, ends };

/// Runs a node of a configuration that was checked, until SIGINT or SIGTERM, then ends in order.
/// `ready` may be empty. Returns the exit code.
int run_node(console& to, const node_config& config, node_services& services, hangup on_hangup,
             const serving& ready = {});

/// The same as the command line and its files say. Returns the exit code.
int serve(console& to, const serve_options& options, format how);

} // namespace troupe::node
