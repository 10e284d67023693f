#pragma once

#include "storage/file.hpp"
#include "storage/lmdb_env.hpp"

/// Copies of the snapshot's file. Private to storage/lmdb_*.
namespace troupe::storage {

/// Writes one moment into an open, empty file.
status copy_into(lmdb_env& env, const file& to, bool compact);

/// Makes the totals of a compact copy those of its last transaction: LMDB numbers them anew. It is
/// not durable before the file is synced.
status renumber(const std::filesystem::path& copy);

} // namespace troupe::storage
