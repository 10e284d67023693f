#pragma once

#include "node/security/audit_line.hpp"
#include "storage/file_ops.hpp"

#include <filesystem>
#include <optional>
#include <vector>

namespace troupe::node {

inline constexpr std::size_t audit_line_bytes_max = 64 << 10; ///< No line is that long.

/// A file of an audit log.
struct audit_file {
  std::uint64_t index = 0; ///< From 1.
  std::filesystem::path path;
};

/// The name of the file with this index, in its directory.
std::filesystem::path audit_file_path(const std::filesystem::path& directory, std::uint64_t index);

/// The files of a directory, in order; none if it is not there. Errors: `io_failed`.
result<std::vector<audit_file>> audit_files(const std::filesystem::path& directory,
                                            storage::file_ops& ops = storage::system_files());

/// Where lines do not hang together any more.
struct audit_break {
  std::filesystem::path file;
  std::uint64_t line = 0; ///< Within the file, from 1.
  std::string why;
};

/// What the check of an audit log found.
struct audit_report {
  std::uint64_t files = 0, lines = 0;
  std::uint64_t first = 0; ///< The number of the first line that is kept.
  audit_head head;         ///< The last line that is right.
  bool torn = false;       ///< Behind it stands a part of a line, as a crash leaves it.
  bool has_wanted = false; ///< The line that was asked for is there.
  std::optional<audit_break> broken;
};

/// Reads all lines and stops at the first that does not follow the one before. With `wanted`, a
/// head that was noted earlier, tells whether it is still there: who rewrites or cuts the whole log
/// is found by nothing else. May run beside the log. Errors: `io_failed`.
result<audit_report> verify_audit(const std::filesystem::path& directory,
                                  const std::optional<std::string>& wanted = {});

} // namespace troupe::node
