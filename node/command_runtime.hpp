#pragma once

#include "troupe/runtime.hpp"

#include <filesystem>
#include <utility>

namespace troupe::node {

/// How a command opens a data directory for its own while: nothing that lies there runs by itself,
/// and no rule deletes jobs. How long they are kept is for the node's configuration to say.
inline runtime_config command_runtime(std::filesystem::path data) {
  runtime_config config;
  config.data_dir = std::move(data);
  config.hold_recovered = true;
  config.retention = {{}, {}, {}, {}};
  return config;
}

} // namespace troupe::node
