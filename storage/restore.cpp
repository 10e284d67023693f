#include "storage/restore.hpp"

#include "storage/backup_parts.hpp"

#include <fcntl.h>
#include <random>

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_bytes = 1 << 20;
constexpr unsigned random_bits = 10;

std::uint64_t system_random() {
  std::random_device source;
  return (static_cast<std::uint64_t>(source()) << 32) | source();
}

error differs(const fs::path& backup, const std::string& what) {
  return {ec::journal_corrupt, backup.string() + " is damaged: " + what
                                   + "; `troupe verify` tells more, use another backup"};
}

/// One restore on its way.
class restorer {
public:
  restorer(const fs::path& from, const fs::path& to, backup_manifest about,
           const copy_options& options)
      : from_(from), to_(to), about_(std::move(about)), options_(options) {}

  result<restore_report> run() {
    auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    auto made = about_.source;
    made.owner.incarnation = next_incarnation(made.owner.incarnation);
    made.created = now;
    if (auto space = check_space(); !space)
      return space.error();
    if (auto copied = copy_snapshot(); !copied)
      return copied.error();
    auto parts = prepare_parts(to_, made);
    if (!parts)
      return parts.error();
    if (auto adopted = adopt(*parts); !adopted)
      return adopted.error();
    return restore_report{about_, made};
  }

private:
  void tell(const char* part, std::uint64_t bytes, std::uint64_t total) const {
    if (options_.progress)
      options_.progress({part, bytes, total});
  }

  status check_space() const {
    auto need = about_.snapshot_bytes + about_.blobs.bytes;
    std::error_code ignored;
    auto free = fs::space(to_, ignored).available;
    if (need <= free)
      return {};
    return error{ec::no_space, "the directory will take " + std::to_string(need) + " bytes, "
                                   + std::to_string(free) + " are free at " + to_.string()
                                   + "; free space or name another directory"};
  }

  status copy_snapshot() const {
    auto from = file::open(system_files(), from_ / "snapshot" / "data.mdb", O_RDONLY);
    if (!from)
      return from.error();
    if (auto made = make_directories(system_files(), to_ / "snapshot"); !made)
      return made;
    auto into =
        file::open(system_files(), to_ / "snapshot" / "data.mdb", O_WRONLY | O_CREAT | O_EXCL);
    if (!into)
      return into.error();
    core::bytes piece(piece_bytes);
    for (std::uint64_t at = 0;;) {
      auto got = from->read(piece, at);
      if (!got)
        return got.error();
      if (*got == 0)
        return at == about_.snapshot_bytes
                   ? status{}
                   : status{differs(from_, "its snapshot has " + std::to_string(at) + " bytes")};
      if (auto written = into->write(core::byte_view{piece}.first(*got), at); !written)
        return written;
      tell("snapshot", at += *got, about_.snapshot_bytes);
    }
  }

  /// Takes the tables over for the new incarnation, compares them with what the backup says, and
  /// takes the blobs that they name.
  status adopt(const data_dir& parts) const {
    lmdb_options options;
    options.expect_existing = true;
    options.check_first = true;
    options.adopt = true;
    auto tables = open_lmdb_tables(parts, options);
    if (!tables)
      return tables.error();
    if (auto forgotten = forget_journal(**tables); !forgotten)
      return forgotten;
    tell("check", 0, 0);
    auto sum = check_parts(parts, **tables);
    if (!sum)
      return sum.error();
    if (sum->positions != about_.positions || sum->jobs != about_.jobs)
      return differs(from_, "its snapshot is not the one that BACKUP describes");
    return copy_blobs(**tables);
  }

  /// All that are there: graphs need no job that names them.
  status copy_blobs(lmdb_tables& tables) const {
    blob_files from{system_files(), from_ / "blobs"};
    blob_totals sum;
    auto copied = storage::copy_blobs(
        tables, about_.source.shards, from, to_ / "blobs",
        [](const blob_file&) { return result<bool>{true}; }, sum,
        [this](std::uint64_t bytes) { tell("blobs", bytes, about_.blobs.bytes); });
    if (copied && !(sum == about_.blobs))
      return differs(from_, "its blobs are not those that BACKUP sums up");
    return copied;
  }

  fs::path from_, to_;
  backup_manifest about_;
  const copy_options& options_;
};

} // namespace

std::uint64_t next_incarnation(std::uint64_t before,
                               std::chrono::sys_time<std::chrono::milliseconds> now,
                               std::uint64_t random) noexcept {
  auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(now.time_since_epoch().count(), 0));
  auto low = random & ((1u << random_bits) - 1);
  return std::max(before + 1, (ms << random_bits) | low);
}

std::uint64_t next_incarnation(std::uint64_t before) {
  auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  return next_incarnation(before, now, system_random());
}

result<restore_report> restore(const fs::path& backup, const fs::path& target,
                               const copy_options& options) {
  auto about = read_backup(system_files(), backup);
  if (!about)
    return about.error();
  auto made = passing_directory::make(target);
  if (!made)
    return made.error();
  auto done = restorer{backup, made->path(), *about, options}.run();
  if (!done)
    return done.error();
  if (auto finished = made->finish(); !finished)
    return finished.error();
  return done;
}

} // namespace troupe::storage
