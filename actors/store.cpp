#include "actors/store.hpp"

#include "core/records.hpp"
#include "storage/file_journal.hpp"
#include "storage/memory_journal.hpp"
#include "troupe/limits.hpp"

#include <condition_variable>

namespace troupe::actors {

namespace {

/// Takes one durable batch into the view, once every record in it is known to be readable.
status take(storage::view& view, const storage::batch& x) {
  auto level = core::feature_level_current;
  auto decoded = core::decode(x.records, [&](core::record&& r) -> status {
    if (auto raised = std::get_if<core::feature_level_raised>(&r.body))
      level = std::max(level, raised->level);
    return {};
  });
  if (!decoded)
    return decoded;
  if (level > core::feature_level_current)
    return error{ec::newer_format, "the journal is of feature level " + std::to_string(level)
                                       + ", this version of troupe knows "
                                       + std::to_string(core::feature_level_current)
                                       + "; start the version that wrote it"};
  view.add(x.records);
  return {};
}

/// A journal's first record says what others it may hold.
status found_shard(storage::journal& journal, storage::opened& found, core::shard_id id,
                   storage::view& view) {
  core::bytes records;
  core::encode({{}, id, {}, {}, core::feature_level_raised{}}, records);
  storage::batch first{id, found.epoch, ++found.head, {}, records};
  status outcome;
  std::mutex mutex;
  std::condition_variable answered;
  bool done = false;
  journal.append(std::move(first), [&](const status& x) {
    std::scoped_lock lock{mutex};
    outcome = x;
    done = true;
    answered.notify_one();
  });
  std::unique_lock lock{mutex};
  if (!answered.wait_for(lock, limits::request_deadline, [&] { return done; }))
    return error{ec::timed_out, "the disk did not answer; see whether it works"};
  if (outcome)
    view.add(std::move(records));
  return outcome;
}

result<opened_shard> open_shard(storage::journal& journal, core::shard_id id) {
  auto found = journal.open(id);
  if (!found)
    return found.error();
  opened_shard shard{*found, std::make_shared<storage::view>(id)};
  auto read =
      found->head == 0
          ? found_shard(journal, shard.found, id, *shard.view)
          : journal.read(id, 1, [&](const storage::batch& x) { return take(*shard.view, x); });
  if (!read)
    return read.error();
  return shard;
}

status open_shards(store& x, std::uint16_t shards) {
  for (std::uint16_t i = 0; i < shards; ++i) {
    auto shard = open_shard(*x.journal, core::shard_id{i});
    if (!shard)
      return shard.error();
    x.shards.push_back(std::move(*shard));
  }
  return {};
}

result<store> memory_store(const runtime_config& config) {
  store x;
  x.blobs = storage::memory_blob_store();
  x.journal = storage::memory_journal();
  if (auto opened = open_shards(x, config.shards); !opened)
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

} // namespace

result<store> open_store(const runtime_config& config) {
  if (config.memory)
    return memory_store(config);
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
  store x;
  x.directory = *directory;
  auto blobs = storage::open_blob_store(**directory);
  if (!blobs)
    return blobs.error();
  x.blobs = std::move(*blobs);
  auto journal = storage::open_file_journal(**directory);
  if (!journal)
    return journal.error();
  x.journal = std::move(*journal);
  if (auto opened = open_shards(x, (*directory)->about().shards); !opened)
    return opened.error();
  return x;
}

result<store> read_store(const std::filesystem::path& path) {
  auto directory = open_directory(path, storage::open_mode::read, {});
  if (!directory)
    return directory.error();
  store x;
  x.directory = *directory;
  auto blobs = storage::open_blob_store(**directory);
  if (!blobs)
    return blobs.error();
  x.blobs = std::move(*blobs);
  auto reader = storage::open_journal_reader(**directory);
  if (!reader)
    return reader.error();
  for (std::uint16_t i = 0; i < (*directory)->about().shards; ++i) {
    core::shard_id id{i};
    x.shards.push_back({{}, std::make_shared<storage::view>(id)});
    auto read = reader->read(
        id, 1, [&](const storage::batch& b) { return take(*x.shards.back().view, b); });
    if (!read)
      return read.error();
  }
  return x;
}

} // namespace troupe::actors
