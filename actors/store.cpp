#include "actors/store_parts.hpp"
#include "storage/file_journal.hpp"
#include "storage/lmdb_tables.hpp"
#include "storage/memory_journal.hpp"
#include "storage/snapshot_presence.hpp"
#include "troupe/limits.hpp"

#include <condition_variable>

namespace troupe::actors {

namespace {

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
  auto seen = storage::read_journal_seen(**reader);
  if (!seen)
    return seen.error();
  storage::journal_applied known{seen->resume, {}};
  for (std::uint16_t i = 0; i < x.directory->about().shards; ++i) {
    auto meta = storage::snapshot_read{**reader, core::shard_id{i}}.meta();
    if (!meta)
      return meta.error();
    known.shards[core::shard_id{i}] = meta->applied;
  }
  reader->reset();
  storage::file_journal_options options;
  options.newest_segment_at_least = seen->newest_segment;
  options.guard = x.guard.get();
  options.space_wait = config.space_wait;
  auto journal = storage::open_file_journal(*x.directory, options, known);
  if (!journal)
    return journal.error();
  return std::shared_ptr<storage::journal>{std::move(*journal)};
}

/// The snapshot; a new one in a directory that has none yet, or whose journal holds all it had.
result<std::shared_ptr<storage::lmdb_tables>>
open_snapshot(const storage::data_dir& directory, std::uint64_t map_bytes,
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
  options.map_bytes = map_bytes;
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
                              std::uint64_t map_bytes,
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
  auto tables = open_snapshot(*x.directory, map_bytes, config.report);
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

result<store> open_store(const runtime_config& config, const storage::snapshot_pace& pace,
                         std::uint64_t map_bytes) {
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
  return directory_store(config, pace, map_bytes, std::move(*directory));
}

} // namespace troupe::actors
