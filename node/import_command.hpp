#pragma once

#include "node/console.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace troupe::node {

struct import_data_options {
  std::filesystem::path data;
  std::string file;                    ///< `-` for standard input.
  std::optional<std::uint16_t> shards; ///< Of a directory that is made by this.
  bool skip_existing = false;          ///< What is there already is left as it is.
};

/// `troupe import`: takes the lines of an export into a data directory that no process has open.
/// What is wrong with a line is told with its number; jobs before it are in. Returns the exit code.
int import_data(console& to, const import_data_options& options);

} // namespace troupe::node
