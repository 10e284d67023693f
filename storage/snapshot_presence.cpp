#include "storage/snapshot_presence.hpp"

#include "storage/file_journal.hpp"
#include "storage/lmdb_tables.hpp"

namespace troupe::storage {

namespace {

/// Whether every shard's journal begins with its first batch. What was imported or restored never
/// stood in one: then it begins later, or is empty.
bool holds_all(const journal_reader& journal, std::uint16_t shards) {
  auto heads = journal.heads(), trimmed = journal.trimmed();
  for (std::uint16_t i = 0; i < shards; ++i) {
    auto head = heads.find(core::shard_id{i});
    auto gone = trimmed.find(core::shard_id{i});
    if (head == heads.end() || head->second == 0 || (gone != trimmed.end() && gone->second > 0))
      return false;
  }
  return true;
}

} // namespace

bool may_be_unfinished(const data_dir& directory) {
  std::vector<std::string> names;
  return directory.about().format == data_format_first
         && directory.files().list(directory.journal_path(), names) == 0 && names.empty();
}

bool has_snapshot(const data_dir& directory) {
  auto is_new = directory.about().format == data_format_first;
  return has_lmdb_tables(directory)
         && !(is_new ? may_be_unfinished(directory) : has_unfinished_tables(directory));
}

result<snapshot_presence> presence_of_snapshot(const data_dir& directory) {
  if (has_snapshot(directory))
    return snapshot_presence::there;
  if (directory.about().format == data_format_first)
    return snapshot_presence::not_yet;
  auto journal = open_journal_reader(directory);
  if (!journal)
    return journal.error();
  return holds_all(*journal, directory.about().shards) ? snapshot_presence::replayable
                                                       : snapshot_presence::lost;
}

error snapshot_lost(const data_dir& directory) {
  return {ec::journal_corrupt,
          (directory.path() / "snapshot" / "data.mdb").string()
              + " is gone or empty, and the journal no longer holds what it held; put "
                "it back or restore a backup"};
}

} // namespace troupe::storage
