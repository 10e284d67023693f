#pragma once

#include "storage/file.hpp"
#include "storage/lmdb_pages.hpp"
#include "storage/lmdb_tables.hpp"

#include <array>

/// Looking at the snapshot's file before anything of it is mapped. Private to storage/lmdb_*.
namespace troupe::storage::lmdb {

/// Both pages that say what the file holds; commits write them in turns.
struct metas {
  std::array<meta, 2> of;
  const meta& newest() const { return of[0].transaction > of[1].transaction ? of[0] : of[1]; }
};

/// What to tell of a file that cannot be used: `what` follows its name.
error damaged(const std::filesystem::path& name, const std::string& what);

/// Reads and compares them, also with the size of the file. `live`: a process may be writing them
/// now. Errors: `journal_corrupt`, `io_failed`.
result<metas> read_metas(const file& from, bool live);

/// Whether there is a file whose making was cut short; not known of one that cannot be read.
bool is_unfinished(const data_dir& directory, const std::filesystem::path& name);

/// Whether the file can be mapped: it is whole as far as its newest transaction knows, or it is
/// not there and may be made. What is left of a file that was never finished is removed.
/// Errors: `journal_corrupt`, `io_failed`.
status examine(const data_dir& directory, const std::filesystem::path& name, bool expect_existing);

} // namespace troupe::storage::lmdb
