#include "storage/backup_parts.hpp"

#include "core/wire.hpp"
#include "storage/file_journal.hpp"
#include "storage/snapshot.hpp"

#include <cerrno>

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;

using blob_sink = std::function<status(namespace_id, const sha256_digest&)>;

/// The rows of a shard in one table.
status each_of_shard(table_reader& from, table in, core::shard_id shard,
                     const std::function<status(core::byte_view, core::byte_view)>& each) {
  auto prefix = keys::shard(shard);
  return each_row(from, in, prefix, prefix,
                  [&](core::byte_view key, core::byte_view value) -> result<bool> {
                    auto done = each(key, value);
                    return done ? result<bool>{true} : result<bool>{done.error()};
                  });
}

status blobs_of_jobs(table_reader& from, core::shard_id shard, const blob_sink& each) {
  auto blobs_of_row = [&](core::byte_view key, core::byte_view value) -> status {
    auto row = decode_job_row(keys::id_in(key), value);
    if (!row)
      return row.error();
    for (auto& name : row->blobs)
      if (auto done = each(row->ns, name); !done)
        return done;
    return {};
  };
  auto done = each_of_shard(from, table::live, shard, blobs_of_row);
  return done ? each_of_shard(from, table::done, shard, blobs_of_row) : done;
}

status blobs_of_graphs(table_reader& from, core::shard_id shard, const blob_sink& each) {
  return each_of_shard(from, table::graphs, shard,
                       [&](core::byte_view key, core::byte_view) -> status {
                         namespace_id ns{};
                         graph_id id;
                         core::reader{key.subspan(sizeof(core::shard_id))}(ns, id);
                         return each(ns, id.sha256);
                       });
}

/// A job that another shard is asked for is nobody's yet; its namespace stands in the request.
status blobs_of_messages(table_reader& from, core::shard_id shard, const blob_sink& each) {
  auto links = snapshot_read{from, shard}.links();
  if (!links)
    return links.error();
  for (auto& [peer, link] : links->peers)
    for (auto& message : link.unacknowledged) {
      auto body = core::decode_message(message.body);
      if (!body)
        return body.error();
      auto asked = std::get_if<core::child_requested>(&*body);
      if (!asked)
        continue; // What it names, the row of its job names, too.
      if (auto done = each(asked->ns, asked->graph.sha256); !done)
        return done;
      if (auto blob = asked->input.blob())
        if (auto done = each(asked->ns, blob->sha256); !done)
          return done;
    }
  return {};
}

/// Takes the batches of one shard into tables, many at once.
class batch_applier {
public:
  batch_applier(table_store& tables, core::shard_id shard) : tables_(tables) {
    window_.push_back({shard, {}});
  }
  status take(const batch& x) {
    bytes_ += x.records.size();
    window_.front().batches.push_back(
        {x.epoch, x.at, x.time, std::make_shared<const core::bytes>(x.records)});
    return bytes_ >= limits::snapshot_window_bytes ? flush() : status{};
  }
  status flush() {
    if (window_.front().batches.empty())
      return {};
    auto applied = storage::apply_windows(tables_, window_);
    window_.front().batches.clear();
    bytes_ = 0;
    return applied;
  }

private:
  table_store& tables_;
  std::vector<shard_window> window_;
  std::size_t bytes_ = 0;
};

/// Whether the journal goes as far as the tables have seen it.
status reach(journal_reader& journal, table_store& tables) {
  auto newest = newest_segment(tables);
  return newest ? journal.reach(*newest) : status{newest.error()};
}

result<core::position> applied_position(table_store& tables, core::shard_id shard) {
  auto reader = tables.read();
  if (!reader)
    return reader.error();
  auto meta = snapshot_read{**reader, shard}.meta();
  return meta ? result<core::position>{meta->applied} : result<core::position>{meta.error()};
}

/// Removes a file; it need not be there.
status remove_file(const fs::path& name) {
  int failed = system_files().unlink(name);
  return failed < 0 && failed != -ENOENT ? status{os_error("remove", name, failed)} : status{};
}

/// Blobs on their way to another directory.
class blob_copier {
public:
  blob_copier(const blob_files& from, const fs::path& to, blob_totals& sum,
              const std::function<void(std::uint64_t)>& told)
      : from_(from), to_(system_files(), to), sum_(sum), told_(told) {}

  status copy(namespace_id space, const sha256_digest& name) {
    auto there = to_.has(space, name);
    if (!there || *there)
      return there ? status{} : status{there.error()};
    auto bytes = from_.copy(space, name, to_);
    if (!bytes)
      return bytes.error();
    add_blob(sum_, space, name, *bytes);
    told_(sum_.bytes);
    return {};
  }

private:
  const blob_files& from_;
  blob_files to_;
  blob_totals& sum_;
  const std::function<void(std::uint64_t)>& told_;
};

} // namespace

result<data_dir> prepare_parts(const fs::path& directory, const manifest& about) {
  auto& files = system_files();
  if (auto made = make_directories(files, directory / "journal"); !made)
    return made.error();
  auto text = encode(about);
  auto written = replace_file(files, directory / "MANIFEST", directory / "MANIFEST.tmp",
                              {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  if (!written)
    return written.error();
  return data_dir::open(directory, open_mode::write);
}

status remove_owner_files(const fs::path& directory) {
  for (auto name : {"MANIFEST", "LOCK", "PIN", "snapshot/lock.mdb"})
    if (auto removed = remove_file(directory / name); !removed)
      return removed;
  std::error_code failed;
  fs::remove(directory / "journal", failed);
  return failed ? status{os_error("remove", directory / "journal", -failed.value())} : status{};
}

status apply_journal(const data_dir& from, table_store& tables,
                     const std::function<void(std::uint64_t)>& told) {
  auto journal = open_journal_reader(from);
  if (!journal)
    return journal.error();
  if (auto whole = reach(*journal, tables); !whole)
    return whole;
  std::uint64_t bytes = 0;
  for (std::uint16_t i = 0; i < from.about().shards; ++i) {
    core::shard_id shard{i};
    auto applied = applied_position(tables, shard);
    if (!applied)
      return applied.error();
    batch_applier to{tables, shard};
    auto read = journal->read(shard, *applied + 1, [&](const batch& x) {
      bytes += x.records.size();
      if (told)
        told(bytes);
      return to.take(x);
    });
    if (auto done = read ? to.flush() : read; !done)
      return done;
  }
  return {};
}

status forget_journal(table_store& tables) {
  return update(tables, [](table_writer& to) -> status {
    auto erased = to.erase(table::meta, keys::newest_segment());
    return erased ? status{} : status{erased.error()};
  });
}

result<parts_summary> check_parts(const data_dir& directory, lmdb_tables& tables) {
  std::optional<lmdb_problem> first;
  auto checked = tables.check(
      [&](const lmdb_problem& x) {
        if (!first)
          first = x;
      },
      {});
  if (!checked)
    return checked.error();
  if (first)
    return error{ec::journal_corrupt, directory.path().string() + ": " + to_string(*first)
                                          + "; run `troupe verify` on what it was made from"};
  auto reader = tables.read();
  if (!reader)
    return reader.error();
  parts_summary sum;
  sum.rows = checked->rows;
  sum.jobs = (*reader)->totals(table::live).rows + (*reader)->totals(table::done).rows;
  for (std::uint16_t i = 0; i < directory.about().shards; ++i) {
    auto meta = snapshot_read{**reader, core::shard_id{i}}.meta();
    if (!meta)
      return meta.error();
    sum.positions[core::shard_id{i}] = meta->applied;
  }
  return sum;
}

status copy_blobs(table_store& tables, std::uint16_t shards, const blob_files& from,
                  const fs::path& to, const std::function<result<bool>(const blob_file&)>& also,
                  blob_totals& sum, const std::function<void(std::uint64_t)>& told) {
  if (auto made = make_directories(system_files(), to); !made)
    return made;
  blob_copier copier{from, to, sum, told};
  auto named = each_named_blob(
      tables, shards, [&](namespace_id space, auto& name) { return copier.copy(space, name); });
  if (!named)
    return named;
  return from.each([&](const blob_file& x) -> status {
    auto wanted = also(x);
    if (!wanted || !*wanted)
      return wanted ? status{} : status{wanted.error()};
    return copier.copy(x.space, x.name);
  });
}

status each_named_blob(table_store& tables, std::uint16_t shards, const blob_sink& each) {
  auto reader = tables.read();
  if (!reader)
    return reader.error();
  for (std::uint16_t i = 0; i < shards; ++i) {
    core::shard_id shard{i};
    for (auto part : {&blobs_of_jobs, &blobs_of_graphs, &blobs_of_messages})
      if (auto done = part(**reader, shard, each); !done)
        return done;
  }
  return {};
}

} // namespace troupe::storage
