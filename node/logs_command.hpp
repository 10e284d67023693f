#pragma once

#include "node/console.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace troupe::node {

struct logs_options {
  std::filesystem::path data;
  std::string id;                    ///< All of it, or how it begins.
  std::optional<std::string> vertex; ///< Only what concerns this one.
  bool all = false;                  ///< Every event, not only what vertices said and failures.
  bool follow = false;               ///< Wait for more, until the job ends or Ctrl-C.
};

/// `troupe jobs logs`: what the vertices of a job said, also beside the process that runs it.
/// Returns the exit code.
int show_logs(console& to, const logs_options& options, format how);

} // namespace troupe::node
