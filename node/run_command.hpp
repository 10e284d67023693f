#pragma once

#include "node/console.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace troupe::node {

/// What `troupe run` was asked for.
struct run_options {
  std::string file;                 ///< Empty only with `resume`; `-` is standard input.
  std::optional<std::string> input; ///< JSON, or `@` and a file with JSON.
  std::vector<std::string> sets;    ///< `VERTEX.KEY=VALUE`
  std::filesystem::path data;
  bool memory = false;            ///< Nothing is written.
  std::uint32_t max_parallel = 0; ///< 0: no limit.
  bool resume = false;
  std::optional<std::string> from;  ///< This vertex and all after it run again.
  std::optional<std::string> until; ///< Only this vertex and all before it.
  bool dry_run = false;
};

/// Runs one graph to its end in this process, shows its progress and its result. Returns the exit
/// code.
int run_graph(console& to, const run_options& options, format how);

} // namespace troupe::node
