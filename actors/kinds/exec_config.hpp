#pragma once

#include "troupe/problem.hpp"
#include "troupe/value.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

/// What the standard output of an `exec` vertex is read as.
enum class exec_output : std::uint8_t { text, json, ndjson };

/// The config of an `exec` vertex, read.
struct exec_config {
  std::vector<std::string> argv; ///< `shell` becomes `/bin/sh -c`.
  exec_output output = exec_output::text;
  std::vector<std::pair<std::string, std::optional<std::string>>> env; ///< No value: removed.
  std::string cwd;
  std::optional<value> input; ///< `stdin`; none: the inputs of the vertex.
  std::vector<int> ok_codes{0};
  std::optional<std::size_t> output_max; ///< Bytes.
};

/// Reads `config` into `into`. Returns the first thing that is wrong with it, code
/// `invalid_config`; the pointer is relative to the config.
std::optional<problem> read_exec_config(const value& config, exec_config& into);

/// The environment of an attempt: `base` (`NAME=value`), changed as `config` says, and `own` last.
std::vector<std::string>
exec_environment(const std::vector<std::string>& base, const exec_config& config,
                 const std::vector<std::pair<std::string, std::string>>& own);

} // namespace troupe::actors
