#pragma once

#include "storage/data_dir.hpp"

namespace troupe::storage {

/// What is known of a data directory's snapshot before its file is opened.
enum class snapshot_presence : std::uint8_t {
  there,      ///< There is a file, of whatever content.
  not_yet,    ///< The directory is so new that it has none, or a half made one.
  replayable, ///< The file is gone or empty, and the journal still holds all that it held.
  lost,       ///< The file is gone or empty, and with it what the journal no longer holds.
};

/// Whether the directory's first start was cut short before it had a journal: nothing was told to
/// anyone, and a loss of power may have left a part of the snapshot's file.
bool may_be_unfinished(const data_dir& directory);

/// Whether there is a snapshot to look into: a file that is no beginning of one.
bool has_snapshot(const data_dir& directory);

/// Errors: those of `open_journal_reader`.
result<snapshot_presence> presence_of_snapshot(const data_dir& directory);

/// What a lost snapshot's directory is told: `journal_corrupt`.
error snapshot_lost(const data_dir& directory);

} // namespace troupe::storage
