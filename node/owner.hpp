#pragma once

#include <filesystem>

namespace troupe::node {

/// Whether a process has this data directory open to run jobs in it. Looks at its lock, and takes
/// it for a moment if nobody has it: ask seldom.
bool has_owner(const std::filesystem::path& directory);

} // namespace troupe::node
