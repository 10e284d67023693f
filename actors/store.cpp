#include "actors/salvage_store.hpp"
#include "core/records.hpp"
#include "storage/file_journal.hpp"
#include "storage/lmdb_tables.hpp"
#include "storage/memory_journal.hpp"
#include "storage/salvage.hpp"
#include "storage/snapshot_presence.hpp"
#include "troupe/limits.hpp"

#include <condition_variable>

namespace troupe::actors {

namespace {

constexpr int read_attempts_max = 3; // Beside an owner that trims what is about to be read.

status check_level(std::uint32_t level) {
  if (level <= core::feature_level_current)
    return {};
  return error{ec::newer_format, "the store is of feature level " + std::to_string(level)
                                     + ", this version of troupe knows "
                                     + std::to_string(core::feature_level_current)
                                     + "; start the version that wrote it"};
}

/// Takes one durable batch into the view, once every record in it is known to be readable.
status take(storage::view& view, const storage::batch& x, std::uint32_t& level) {
  auto decoded = core::decode(x.records, [&](core::record&& r) -> status {
    if (auto raised = std::get_if<core::feature_level_raised>(&r.body))
      level = std::max(level, raised->level);
    return {};
  });
  if (!decoded)
    return decoded;
  if (auto known = check_level(level); !known)
    return known;
  view.add(x);
  return {};
}

/// Waits until a batch is durable.
status append_now(storage::journal& journal, const storage::batch& x) {
  struct answer {
    std::mutex mutex;
    std::condition_variable came;
    std::optional<status> outcome;
  };
  auto shared = std::make_shared<answer>();
  journal.append(x, [shared](const status& outcome) {
    std::scoped_lock lock{shared->mutex};
    shared->outcome = outcome;
    shared->came.notify_one();
  });
  std::unique_lock lock{shared->mutex};
  if (!shared->came.wait_for(lock, limits::request_deadline,
                             [&] { return shared->outcome.has_value(); }))
    return error{ec::timed_out, "the disk did not answer; see whether it works"};
  return *shared->outcome;
}

/// A shard on its way to be opened.
struct half_open {
  opened_shard shard;
  std::uint32_t level = 0; ///< That its records may need.
};

/// The records of a journal say what others it may hold.
status raise_level(storage::journal& journal, half_open& x) {
  if (x.level == core::feature_level_current)
    return {};
  auto id = x.shard.view->shard();
  auto& found = x.shard.found;
  storage::batch next{id, found.epoch, found.head + 1, x.shard.view->time(), {}};
  core::encode({{}, id, {}, next.time, core::feature_level_raised{}}, next.records);
  if (auto appended = append_now(journal, next); !appended)
    return appended;
  found.head = next.at;
  x.shard.view->add(std::move(next));
  return {};
}

result<storage::shard_meta> meta_of(storage::table_store& tables, core::shard_id id) {
  auto reader = tables.read();
  if (!reader)
    return reader.error();
  auto meta = storage::snapshot_read{**reader, id}.meta();
  if (meta)
    if (auto known = check_level(meta->level); !known)
      return known.error();
  return meta;
}

result<half_open> open_shard(const store& x, const std::shared_ptr<storage::lag_gauge>& lag,
                             core::shard_id id) {
  auto kept = meta_of(*x.tables, id);
  if (!kept)
    return kept.error();
  auto found = x.journal->open(id, {kept->epoch, kept->applied});
  if (!found)
    return found.error();
  return half_open{{*found, std::make_shared<storage::view>(id, x.tables, *kept, lag)},
                   kept->level};
}

/// Takes all that the journal tells beyond the snapshot into the views; it is read once.
status replay(storage::journal& journal, std::vector<half_open>& shards) {
  storage::journal::positions from;
  for (auto& x : shards)
    from[x.shard.view->shard()] = x.shard.view->durable() + 1;
  return journal.read_all(from, [&](const storage::batch& b) {
    auto& x = shards[core::index_of(b.shard)];
    return take(*x.shard.view, b, x.level);
  });
}

/// Opens every shard. Nothing of a newer format is written before `ready` has said yes.
status open_shards(store& x, const runtime_config& config, const storage::snapshot_pace& pace,
                   std::uint16_t shards, const std::function<status()>& ready,
                   std::function<status()> maintain) {
  storage::snapshot_parts parts;
  parts.pace = pace;
  parts.tables = x.tables;
  parts.journal = x.journal;
  parts.newest_segment = [journal = x.journal] { return journal->use().newest_segment; };
  parts.lag = std::make_shared<storage::lag_gauge>();
  parts.maintain = std::move(maintain);
  if (x.guard)
    parts.make_room = [guard = x.guard] { return guard->make_room(); };
  if (config.report)
    parts.report = [report = config.report](const error& why) {
      report("the snapshot is not written: " + why.detail);
    };
  std::vector<half_open> all;
  for (std::uint16_t i = 0; i < shards; ++i) {
    auto opened = open_shard(x, parts.lag, core::shard_id{i});
    if (!opened)
      return opened.error();
    all.push_back(std::move(*opened));
  }
  if (auto replayed = replay(*x.journal, all); !replayed)
    return replayed;
  if (auto can = ready(); !can)
    return can;
  for (auto& opened : all) {
    if (auto raised = raise_level(*x.journal, opened); !raised)
      return raised;
    parts.views.push_back(opened.shard.view);
    x.shards.push_back(std::move(opened.shard));
  }
  x.writer = std::make_shared<storage::snapshot_writer>(std::move(parts));
  return {};
}

result<store> memory_store(const runtime_config& config, const storage::snapshot_pace& pace) {
  store x;
  x.blobs = storage::memory_blob_store();
  x.tables = storage::memory_tables();
  x.journal = storage::memory_journal();
  if (auto opened = open_shards(x, config, pace, config.shards, [] { return status{}; }, {});
      !opened)
    return opened.error();
  return x;
}

result<std::shared_ptr<storage::data_dir>> open_directory(const std::filesystem::path& path,
                                                          storage::open_mode mode,
                                                          storage::data_dir_options options) {
  auto directory = storage::data_dir::open(path, mode, options);
  if (!directory)
    return directory.error();
  return std::make_shared<storage::data_dir>(std::move(*directory));
}

/// Watches the disk from before anything else is opened, which may need what is in reserve.
result<std::shared_ptr<storage::disk_guard>> open_guard(const storage::data_dir& directory,
                                                        const runtime_config& config) {
  storage::disk_guard_options options;
  options.min_free_bytes = config.min_free_bytes;
  options.report = config.report;
  auto guard = storage::disk_guard::open(directory, options);
  if (guard)
    (*guard)->poll();
  return guard;
}

/// The journal, which must not end before what the snapshot has seen of it.
result<std::shared_ptr<storage::journal>> open_journal(const store& x,
                                                       const runtime_config& config) {
  auto reader = x.tables->read();
  if (!reader)
    return reader.error();
  auto newest = storage::newest_segment(**reader);
  if (!newest)
    return newest.error();
  storage::file_journal_options options;
  options.newest_segment_at_least = *newest;
  options.guard = x.guard.get();
  options.space_wait = config.space_wait;
  auto journal = storage::open_file_journal(*x.directory, options);
  if (!journal)
    return journal.error();
  return std::shared_ptr<storage::journal>{std::move(*journal)};
}

/// The snapshot; a new one in a directory that has none yet, or whose journal holds all it had.
result<std::shared_ptr<storage::lmdb_tables>>
open_snapshot(const storage::data_dir& directory,
              const std::function<void(const std::string&)>& report) {
  auto found = storage::presence_of_snapshot(directory);
  if (!found)
    return found.error();
  if (*found == storage::snapshot_presence::lost)
    return storage::snapshot_lost(directory);
  if (*found == storage::snapshot_presence::replayable && report)
    report(
        "the snapshot is gone or empty; it is made anew from the journal, which holds all of it");
  storage::lmdb_options options;
  options.expect_existing = *found == storage::snapshot_presence::there
                            && directory.about().format > storage::data_format_first;
  if (report)
    options.removed = [report](const storage::lmdb_problem& x) {
      report("damage in the store: a row of a deleted job was removed: " + to_string(x)
             + "; run `troupe verify --online`");
    };
  auto tables = storage::open_lmdb_tables(directory, options);
  // Until it has the next format nothing is trimmed, and a loss of power may leave half of the
  // file.
  if (tables.code() == ec::journal_corrupt
      && directory.about().format == storage::data_format_first) {
    directory.files().unlink(directory.path() / "snapshot" / "data.mdb");
    tables = storage::open_lmdb_tables(directory, options);
  }
  if (!tables)
    return tables.error();
  return std::shared_ptr<storage::lmdb_tables>{std::move(*tables)};
}

result<store> directory_store(const runtime_config& config, const storage::snapshot_pace& pace,
                              std::shared_ptr<storage::data_dir> directory) {
  store x;
  x.directory = std::move(directory);
  auto guard = open_guard(*x.directory, config);
  if (!guard)
    return guard.error();
  x.guard = std::move(*guard);
  auto blobs = storage::open_blob_store(*x.directory);
  if (!blobs)
    return blobs.error();
  x.blobs = std::move(*blobs);
  auto tables = open_snapshot(*x.directory, config.report);
  if (!tables)
    return tables.error();
  x.tables = x.file = *tables;
  auto journal = open_journal(x, config);
  if (!journal)
    return journal.error();
  x.journal = std::move(*journal);
  auto opened = open_shards(
      x, config, pace, x.directory->about().shards, [&x] { return x.directory->upgrade(); },
      [tables = *tables] { return tables->maintain(); });
  if (!opened)
    return opened.error();
  return x;
}

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
  auto reader = x.tables->read();
  if (!reader)
    return reader.error();
  auto newest = storage::newest_segment(**reader);
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

void store::close() {
  if (writer)
    writer->stop();
  writer.reset();
  for (auto& shard : shards)
    shard.view->close();
  tables.reset();
  file.reset();
  journal.reset();
  blobs.reset();
  guard.reset();
  pin.reset();
  directory.reset();
}

result<store> open_store(const runtime_config& config, const storage::snapshot_pace& pace) {
  if (config.memory)
    return memory_store(config, pace);
  storage::data_dir_options options;
  options.shards = config.shards;
  if (!config.node.empty()) {
    options.expected_node = storage::parse_node_id(config.node);
    if (!options.expected_node)
      return error{ec::invalid_spec, "\"" + config.node + "\" is no node id; it looks like a UUID"};
  }
  auto directory = open_directory(config.data_dir, storage::open_mode::write, options);
  if (!directory)
    return directory.error();
  return directory_store(config, pace, std::move(*directory));
}

result<store> read_store(const std::filesystem::path& path) { return read_some(path, nullptr); }

result<store> salvage_store(const std::filesystem::path& path, problems& lost) {
  return read_some(path, &lost);
}

} // namespace troupe::actors
