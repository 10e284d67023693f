#include "actors/salvage_store.hpp"
#include "actors/store_parts.hpp"
#include "storage/file_journal.hpp"
#include "storage/lmdb_tables.hpp"
#include "storage/salvage.hpp"
#include "storage/snapshot_presence.hpp"

namespace troupe::actors {

namespace {

constexpr int read_attempts_max = 3; // Beside an owner that trims what is about to be read.

/// The journal is scanned first: what its owner trims of it later is in the snapshot by then.
status read_shards(store& x, const storage::journal_reader& reader) {
  for (std::uint16_t i = 0; i < x.directory->about().shards; ++i) {
    core::shard_id id{i};
    storage::shard_meta kept;
    if (x.tables) {
      auto meta = meta_of(*x.tables, id);
      if (!meta)
        return meta.error();
      kept = *meta;
    }
    x.shards.push_back({{}, std::make_shared<storage::view>(id, x.tables, kept)});
    auto level = kept.level;
    auto read = reader.read(id, kept.applied + 1, [&](const storage::batch& b) {
      return take(*x.shards.back().view, b, level);
    });
    if (!read)
      return read;
  }
  return {};
}

using problems = std::vector<storage::lmdb_problem>;

/// The snapshot to read; with `lost` what of it is whole, if pages are damaged.
result<std::shared_ptr<storage::table_store>> read_tables(const storage::data_dir& directory,
                                                          problems* lost) {
  std::shared_ptr<storage::table_store> tables;
  if (lost) {
    lost->clear();
    auto saved = storage::salvage_tables(directory, [&](auto& x) { lost->push_back(x); });
    if (!saved)
      return saved.error();
    tables = std::move(*saved);
  }
  if (tables)
    return tables;
  auto opened = storage::open_lmdb_tables(directory);
  if (!opened)
    return opened.error();
  tables = std::move(*opened);
  return tables;
}

/// Whether the journal goes as far as the snapshot has seen it; with `lost` that is told there.
status check_reach(const store& x, storage::journal_reader& journal, problems* lost) {
  auto newest = storage::newest_segment(*x.tables);
  if (!newest)
    return lost ? status{} : status{newest.error()};
  auto whole = journal.reach(*newest);
  if (!lost || whole.code() != ec::journal_corrupt)
    return whole;
  lost->push_back({{}, {}, 0, whole.error().detail});
  return {};
}

/// `lost`: as of `read_tables`.
result<store> read_once(const std::filesystem::path& path, problems* lost) {
  auto directory = open_directory(path, storage::open_mode::read, {});
  if (!directory)
    return directory.error();
  store x;
  x.directory = *directory;
  auto pin = storage::data_pin::take(**directory);
  if (!pin)
    return pin.error();
  x.pin = std::make_shared<storage::data_pin>(std::move(*pin));
  auto blobs = storage::open_blob_store(**directory);
  if (!blobs)
    return blobs.error();
  x.blobs = std::move(*blobs);
  auto reader = storage::open_journal_reader(**directory);
  if (!reader)
    return reader.error();
  auto found = storage::presence_of_snapshot(**directory);
  if (!found)
    return found.error();
  if (*found == storage::snapshot_presence::lost)
    return storage::snapshot_lost(**directory);
  auto is_made = (*directory)->about().format > storage::data_format_first; // Else it may be empty.
  if (*found == storage::snapshot_presence::there && is_made) {
    auto tables = read_tables(**directory, lost);
    if (!tables)
      return tables.error();
    x.tables = std::move(*tables);
    if (auto whole = check_reach(x, *reader, lost); !whole)
      return whole.error();
  }
  if (auto read = read_shards(x, *reader); !read)
    return read.error();
  return x;
}

result<store> read_some(const std::filesystem::path& path, problems* lost) {
  for (int attempt = 1;; ++attempt) {
    auto x = read_once(path, lost);
    if (x || x.code() != ec::journal_corrupt || attempt == read_attempts_max)
      return x;
  }
}

} // namespace

result<store> read_store(const std::filesystem::path& path) { return read_some(path, nullptr); }

result<store> salvage_store(const std::filesystem::path& path, problems& lost) {
  return read_some(path, &lost);
}

} // namespace troupe::actors
