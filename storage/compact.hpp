#pragma once

#include "troupe/error.hpp"

#include <cstdint>
#include <filesystem>

namespace troupe::storage {

/// How large the snapshot's file was, and is.
struct compact_report {
  std::uint64_t before = 0, after = 0; ///< Bytes.
};

/// Writes the snapshot of a data directory anew, without the free pages that deletes have left in
/// its file. The new file is checked before it takes the place of the old one, in one step: a
/// crash leaves either. No process may have the directory open, nor hold a pin to read it. If there
/// is room for it only where accepted jobs have their reserve, that is given up.
/// Errors: `already_open`, `no_space` with what is needed, before anything is written,
/// `journal_corrupt` if the snapshot is damaged, `io_failed` if there is none, and those of
/// `data_dir::open`.
result<compact_report> compact(const std::filesystem::path& data);

} // namespace troupe::storage
