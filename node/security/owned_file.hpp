#pragma once

#include "storage/file.hpp"

/// Files that a node reads and writes, and that root may change beside it: with the rights of root
/// a new one is given to the owner of what it replaces, or of its directory, so that the node can
/// read it. Any thread.
namespace troupe::node {

/// Opens a file for reading and writing, or makes it. Errors: `io_failed`, `no_space`.
result<storage::file> open_owned(const std::filesystem::path& name);

/// As `storage::replace_file`, through `NAME.new`. One caller at a time. Errors: `io_failed`,
/// `no_space`.
status replace_owned(const std::filesystem::path& name, core::byte_view data);

} // namespace troupe::node
