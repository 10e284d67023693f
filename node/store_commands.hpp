#pragma once

#include "node/console.hpp"

#include <filesystem>

/// The verbs that look after a data directory as a whole. Each returns its exit code.
namespace troupe::node {

/// `troupe backup TARGET`: also beside the process that writes to the directory.
int back_up_data(console& to, const std::filesystem::path& data,
                 const std::filesystem::path& target, format how);

/// `troupe restore BACKUP`: into a data directory that is not there yet, or empty.
int restore_data(console& to, const std::filesystem::path& backup,
                 const std::filesystem::path& data, format how);

/// `troupe verify`: of a data directory or a backup. Findings go to standard output; the exit code
/// is 1 if there are any.
int verify_data(console& to, const std::filesystem::path& path, bool online, format how);

/// `troupe compact`: while nobody has the directory open.
int compact_data(console& to, const std::filesystem::path& data, format how);

} // namespace troupe::node
