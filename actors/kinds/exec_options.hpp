#pragma once

#include "core/types.hpp"
#include "troupe/limits.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

/// The bounds and the surroundings of `exec` vertices on this node.
struct exec_options {
  std::size_t parallel_max = 64;           ///< Processes at once; the others wait, in order.
  std::size_t output_bytes_max = 16 << 20; ///< Standard output, unless `output_max` says more.
  std::size_t log_line_bytes_max = 8192;   ///< Of stderr at once; a longer line comes in pieces.
  std::size_t log_bytes_max = 1 << 20;     ///< Of one attempt's stderr; the rest is not kept.
  core::duration drain_max{250};           ///< For the pipes, once the process has ended.
  core::duration close_grace = limits::close_grace; ///< From asking to killing, in the destructor.
  core::duration close_max{5000};        ///< For killed processes to go, in the destructor.
  core::duration spawn_retry{100};       ///< Between tries while there is no room for a process.
  core::duration spawn_wait_max{10'000}; ///< For room while none runs; then the attempt fails.
  std::filesystem::path run_dir;         ///< Where `kill_orphans` will look; empty: nowhere.
  std::optional<std::vector<std::string>> environment; ///< `NAME=value`; none: this process's own.
};

} // namespace troupe::actors
