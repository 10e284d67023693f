#include "storage/backup.hpp"

#include "storage/backup_parts.hpp"
#include "storage/data_pin.hpp"
#include "storage/file_journal.hpp"
#include "storage/snapshot_presence.hpp"

#include <fcntl.h>

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;

/// Bytes of all files below a directory.
std::uint64_t bytes_below(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code failed;
  for (fs::recursive_directory_iterator at{directory, failed}, end; !failed && at != end;
       at.increment(failed)) {
    std::error_code gone;
    if (auto size = at->is_regular_file(gone) ? at->file_size(gone) : 0; !gone)
      bytes += size;
  }
  return bytes;
}

/// One backup on its way.
class backup_writer {
public:
  backup_writer(const data_dir& from, const fs::path& to, const copy_options& options)
      : from_(from), to_(to), options_(options) {
    about_.source = from.about();
    about_.source.format = data_format_version;
    about_.source.feature_level = feature_level_known;
  }

  /// What has to be free. `tables` is null if there is no snapshot yet.
  backup_need need(const lmdb_tables* tables) const {
    backup_need x;
    x.snapshot = tables ? tables->sizes().used : 0;
    x.journal = bytes_below(from_.journal_path());
    x.blobs = bytes_below(from_.blobs_path());
    std::error_code ignored;
    x.free = fs::space(to_, ignored).available;
    return x;
  }

  result<backup_manifest> run() {
    about_.taken = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    auto pin = data_pin::take(from_);
    if (!pin)
      return pin.error();
    auto heads = read_heads();
    if (!heads)
      return heads.error();
    if (auto copied = copy_snapshot(); !copied)
      return copied.error();
    auto made = prepare_parts(to_, about_.source);
    if (!made)
      return made.error();
    if (auto filled = fill(*made); !filled)
      return as_of_source(filled.error());
    if (auto whole = check_reached(*heads); !whole)
      return whole.error();
    if (auto left = remove_owner_files(to_); !left)
      return left.error();
    if (auto written = write_about(); !written)
      return written.error();
    return about_;
  }

private:
  void tell(const char* part, std::uint64_t bytes, std::uint64_t total) const {
    if (options_.progress)
      options_.progress({part, bytes, total});
  }

  /// What is damaged in the copy is so in what it was made from, and the copy goes.
  error as_of_source(error why) const {
    auto copy = to_.string(), source = from_.path().string();
    for (auto at = why.detail.find(copy); at != why.detail.npos;
         at = why.detail.find(copy, at + source.size()))
      why.detail.replace(at, copy.size(), source);
    return why;
  }

  using heads = std::map<core::shard_id, core::position>;

  /// How far the journal goes before anything is copied.
  result<heads> read_heads() const {
    auto journal = open_journal_reader(from_);
    return journal ? result<heads>{journal->heads()} : journal.error();
  }

  /// Whether all of that is in the copy.
  status check_reached(const heads& before) const {
    for (auto& [shard, head] : before) {
      auto found = about_.positions.find(shard);
      auto at = found == about_.positions.end() ? 0 : found->second;
      if (at < head)
        return error{ec::journal_corrupt,
                     "the backup has shard " + std::to_string(core::index_of(shard))
                         + " up to position " + std::to_string(at) + ", but the journal of "
                         + from_.path().string() + " went to " + std::to_string(head)
                         + " when it began: something took it away meanwhile; repeat the backup"};
    }
    return {};
  }

  status copy_snapshot() {
    auto found = presence_of_snapshot(from_);
    if (!found)
      return found.error();
    if (*found == snapshot_presence::lost)
      return snapshot_lost(from_);
    std::unique_ptr<lmdb_tables> tables;
    if (*found == snapshot_presence::there) {
      lmdb_options options;
      options.expect_existing = true;
      auto opened = open_lmdb_tables(from_, options);
      if (!opened)
        return opened.error();
      tables = std::move(*opened);
    }
    need_ = need(tables.get());
    if (need_.all() > need_.free)
      return error{ec::no_space, "the backup takes up to " + std::to_string(need_.all())
                                     + " bytes, " + std::to_string(need_.free) + " are free at "
                                     + to_.string() + "; free space or name another target"};
    tell("snapshot", 0, need_.snapshot);
    if (auto made = make_directories(system_files(), to_ / "snapshot"); !made || !tables)
      return made;
    copied_ = true;
    return tables->copy(to_ / "snapshot" / "data.mdb", true);
  }

  /// Brings the copy up to the journal, then takes the blobs that it names.
  status fill(const data_dir& parts) {
    lmdb_options options;
    options.expect_existing = copied_;
    auto tables = open_lmdb_tables(parts, options);
    if (!tables)
      return tables.error();
    auto told = [this](std::uint64_t bytes) { tell("journal", bytes, need_.journal); };
    if (auto applied = apply_journal(from_, **tables, told); !applied)
      return applied;
    if (auto forgotten = forget_journal(**tables); !forgotten)
      return forgotten;
    tell("check", 0, 0);
    auto checked = check_parts(parts, **tables);
    if (!checked)
      return checked.error();
    about_.jobs = checked->jobs;
    about_.positions = checked->positions;
    return copy_blobs(**tables);
  }

  /// Graphs too that no job names yet: they were acknowledged when they were added.
  status copy_blobs(lmdb_tables& tables) {
    blob_files from{from_.files(), from_.blobs_path()};
    return storage::copy_blobs(
        tables, from_.about().shards, from, to_ / "blobs",
        [&](const blob_file& x) { return from.holds_graph(x.space, x.name); }, about_.blobs,
        [this](std::uint64_t bytes) { tell("blobs", bytes, need_.blobs); });
  }

  status write_about() {
    std::error_code failed;
    about_.snapshot_bytes = fs::file_size(to_ / "snapshot" / "data.mdb", failed);
    if (failed)
      return os_error("examine", to_ / "snapshot" / "data.mdb", -failed.value());
    auto text = encode(about_);
    auto into = file::open(system_files(), to_ / backup_file_name, O_WRONLY | O_CREAT | O_EXCL);
    if (!into)
      return into.error();
    return into->write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, 0);
  }

  const data_dir& from_;
  fs::path to_;
  const copy_options& options_;
  backup_manifest about_;
  backup_need need_;
  bool copied_ = false;
};

} // namespace

result<backup_manifest> back_up(const fs::path& data, const fs::path& target,
                                const copy_options& options) {
  auto from = data_dir::open(data, open_mode::read);
  if (!from)
    return from.error();
  auto made = passing_directory::make(target);
  if (!made)
    return made.error();
  auto done = backup_writer{*from, made->path(), options}.run();
  if (!done)
    return done.error();
  if (auto finished = made->finish(); !finished)
    return finished.error();
  return done;
}

} // namespace troupe::storage
