#pragma once

#include "node/errors.hpp"

#include <filesystem>
#include <optional>

namespace troupe::node {

/// Why a path cannot be a data directory that is to be read. Nothing if it is one, and where only
/// opening it can tell, as of one that is damaged.
std::optional<trouble> no_data_at(const std::filesystem::path& path);

/// Why no data directory can be at a path, be it there or not yet: it is a backup.
std::optional<trouble> backup_at(const std::filesystem::path& path);

/// Why a path cannot be a backup.
std::optional<trouble> no_backup_at(const std::filesystem::path& path);

} // namespace troupe::node
