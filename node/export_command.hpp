#pragma once

#include "node/console.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace troupe::node {

struct export_options {
  std::filesystem::path data;
  std::string output; ///< A file; empty: standard output.
  std::optional<std::string> state, queue;
  std::optional<std::string> since; ///< Only jobs that were made then or later.
  bool rows = true;                 ///< The embedder's rows, too.
};

/// `troupe export`: jobs, what they name, and rows as lines of JSON, also beside the process that
/// writes to the directory. Returns the exit code.
int export_data(console& to, const export_options& options);

} // namespace troupe::node
