#pragma once

#include "storage/data_dir.hpp"

namespace troupe::storage {

/// What is known of a data directory's snapshot before its file is opened.
enum class snapshot_presence : std::uint8_t {
  there,      ///< There is a file, of whatever content.
  not_yet,    ///< The directory is so new that it has none.
  replayable, ///< The file is gone, and the journal still holds all that it held.
  lost,       ///< The file is gone, and with it what the journal no longer holds.
};

/// Errors: those of `open_journal_reader`.
result<snapshot_presence> presence_of_snapshot(const data_dir& directory);

/// What a lost snapshot's directory is told: `journal_corrupt`.
error snapshot_lost(const data_dir& directory);

} // namespace troupe::storage
