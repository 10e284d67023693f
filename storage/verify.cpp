#include "storage/verify.hpp"

#include "storage/backup_manifest.hpp"
#include "storage/data_lock.hpp"
#include "storage/lmdb_tables.hpp"
#include "storage/snapshot_presence.hpp"
#include "storage/verify_shards.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <thread>

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;

/// The lock of a data directory whose owner is away; kept while it is checked.
result<std::optional<file>> keep_owner_out(const data_dir& directory) {
  auto& files = directory.files();
  auto name = directory.path() / data_lock_name;
  int fd = files.open(name, O_RDONLY);
  if (fd == -ENOENT)
    return std::optional<file>{};
  if (fd < 0)
    return os_error("open", name, fd);
  file lock{files, name, fd};
  if (int failed = files.lock(fd); failed == -EWOULDBLOCK)
    return error{ec::already_open, directory.path().string()
                                       + " is open for writing by another process; check it "
                                         "beside that one with --online, or end it"};
  else if (failed < 0)
    return os_error("lock", name, failed);
  return std::optional<file>{std::move(lock)};
}

/// One check of one directory.
class verifier {
public:
  verifier(const data_dir& directory, const backup_manifest* backup, const verify_options& options)
      : directory_(directory),
        backup_(backup),
        options_(options),
        blobs_(directory.files(), directory.blobs_path()),
        graphs_(directory.files(), blobs_, options.graphs),
        around_{directory.about().shards, graphs_, blobs_} {
    report_.backup = backup != nullptr;
  }

  result<verify_report> run() {
    auto done = check_file();
    if (done)
      done = check_blobs(
          blobs_, [this](std::uint64_t bytes) { tell("blobs", bytes); }, report_.blobs,
          report_.found);
    if (done && !damaged_)
      done = check_content();
    if (!done)
      return done.error();
    compare_backup();
    return std::move(report_);
  }

private:
  void tell(const char* part, std::uint64_t bytes, std::uint64_t total = 0) const {
    if (options_.progress)
      options_.progress({part, bytes, total});
  }

  /// The snapshot's file as it lies there, before anything of it is believed.
  status check_file() {
    report_.snapshot = has_snapshot(directory_);
    if (!report_.snapshot)
      return check_absence();
    if (options_.online)
      return {};
    tell("file", 0, file_bytes());
    return take(check_lmdb_file(directory_, sink()));
  }

  /// A snapshot that is not there is damage unless it never was.
  status check_absence() {
    auto found = report_.backup ? result<snapshot_presence>{snapshot_presence::lost}
                                : presence_of_snapshot(directory_);
    if (!found)
      return refuse(found.error());
    auto where = (directory_.path() / "snapshot" / "data.mdb").string();
    if (*found == snapshot_presence::lost)
      report_.found.add(finding_kind::file_damaged, where,
                        "it is gone or empty, and the journal no longer holds what it held");
    if (*found == snapshot_presence::replayable)
      report_.found.add(finding_kind::snapshot_absent, where,
                        "it is gone or empty; the journal holds all of it");
    if (*found != snapshot_presence::not_yet)
      report_.skipped.push_back("rows and indexes: there is no snapshot");
    return {};
  }

  std::uint64_t file_bytes() const {
    std::error_code ignored;
    auto bytes = fs::file_size(directory_.path() / "snapshot" / "data.mdb", ignored);
    return ignored ? 0 : bytes;
  }

  problem_sink sink() {
    return [this](const lmdb_problem& x) {
      auto where = (directory_.path() / "snapshot" / "data.mdb").string();
      if (x.page > 0)
        where += ", page " + std::to_string(x.page);
      if (x.in)
        where += ", " + row_text(*x.in, x.key);
      report_.found.add(finding_kind::page_damaged, where, x.what);
    };
  }

  status take(const result<lmdb_summary>& checked) {
    if (!checked)
      return refuse(checked.error());
    report_.rows += checked->rows;
    report_.bytes += checked->bytes;
    damaged_ = damaged_ || checked->problems > 0;
    if (checked->problems > 0)
      report_.skipped.push_back("rows, records and indexes: the snapshot's file is damaged");
    return {};
  }

  /// What is damaged is a finding; all else ends the check.
  status refuse(const error& why) {
    if (why.code != ec::journal_corrupt && why.code != ec::wrong_node
        && why.code != ec::blob_missing)
      return why;
    report_.found.add(finding_kind::file_damaged, directory_.path().string(), why.detail);
    if (!std::exchange(damaged_, true))
      report_.skipped.push_back("rows, records and indexes: they cannot be read");
    return {};
  }

  status check_content() {
    std::unique_ptr<lmdb_tables> tables;
    if (report_.snapshot) {
      lmdb_options options;
      options.expect_existing = true;
      auto opened = open_lmdb_tables(directory_, options);
      if (!opened)
        return refuse(opened.error());
      tables = std::move(*opened);
    }
    if (tables)
      if (auto checked = check_rows(*tables); !checked)
        return checked;
    if (report_.backup)
      return tables ? check_positions(*tables) : status{};
    tell("journal", 0);
    auto checked = check_journal(directory_, damaged_ ? nullptr : tables.get(), around_,
                                 report_.journal, report_.found);
    report_.bytes += report_.journal.bytes;
    return checked;
  }

  status check_rows(lmdb_tables& tables) {
    if (options_.online)
      if (auto checked = take(tables.check(sink())); !checked || damaged_)
        return checked;
    shards_check how{directory_, blobs_, options_.graphs, {}, threads()};
    if (options_.online)
      how.options.slice = limits::read_transaction_max;
    how.options.progress = [this](const tables_summary& sum) {
      tell("jobs", sum.bytes, file_bytes());
    };
    if (auto checked = check_shards(tables, how, report_.tables, report_.found); !checked)
      return refuse(checked.error());
    if (!report_.tables.counted)
      report_.skipped.push_back("counts: the owner changed them meanwhile; a backup or a check "
                                "without --online compares them");
    return {};
  }

  /// Beside an owner one: it is the owner's machine.
  std::size_t threads() const {
    if (options_.online)
      return 1;
    return std::min<std::size_t>(std::max(std::thread::hardware_concurrency(), 1u),
                                 limits::verify_threads_max);
  }

  status check_positions(lmdb_tables& tables) {
    auto reader = tables.read();
    if (!reader)
      return reader.error();
    for (std::uint16_t i = 0; i < directory_.about().shards; ++i) {
      core::shard_id shard{i};
      auto meta = snapshot_read{**reader, shard}.meta();
      if (!meta)
        return meta.error();
      auto at = backup_->positions.find(shard);
      auto says = at == backup_->positions.end() ? 0 : at->second;
      if (meta->applied != says)
        report_.found.add(finding_kind::backup_differs, directory_.path().string(),
                          "shard " + std::to_string(i) + " is at position "
                              + std::to_string(meta->applied) + ", BACKUP says "
                              + std::to_string(says));
    }
    return {};
  }

  void compare_backup() {
    if (!backup_)
      return;
    auto differs = [&](const char* what, std::uint64_t there, std::uint64_t says) {
      if (there != says)
        report_.found.add(finding_kind::backup_differs, directory_.path().string(),
                          std::string{what} + ": there are " + std::to_string(there)
                              + ", BACKUP says " + std::to_string(says));
    };
    differs("bytes of the snapshot", file_bytes(), backup_->snapshot_bytes);
    differs("blobs", report_.blobs.count, backup_->blobs.count);
    differs("bytes of blobs", report_.blobs.bytes, backup_->blobs.bytes);
    if (report_.blobs.count == backup_->blobs.count && !(report_.blobs == backup_->blobs))
      report_.found.add(finding_kind::backup_differs, directory_.path().string(),
                        "its blobs are others than those that BACKUP sums up");
    if (!damaged_)
      differs("jobs", report_.tables.jobs, backup_->jobs);
  }

  const data_dir& directory_;
  const backup_manifest* backup_;
  const verify_options& options_;
  blob_files blobs_;
  graph_cache graphs_;
  job_surroundings around_;
  verify_report report_;
  bool damaged_ = false; ///< The tables cannot be believed.
};

result<verify_report> verify_backup(const fs::path& path, const verify_options& options) {
  auto about = read_backup(system_files(), path);
  if (!about && about.code() != ec::journal_corrupt)
    return about.error();
  if (!about) {
    verify_report report;
    report.backup = true;
    report.found.add(finding_kind::file_damaged, (path / backup_file_name).string(),
                     about.error().detail);
    report.skipped.push_back("all else: without BACKUP nothing is known of it");
    return report;
  }
  auto directory = data_dir::of_parts(path, about->source);
  auto report = verifier{directory, &*about, options}.run();
  std::error_code ignored; // Nobody else reads a backup; LMDB leaves this behind.
  fs::remove(path / "snapshot" / "lock.mdb", ignored);
  return report;
}

} // namespace

result<verify_report> verify(const fs::path& path, const verify_options& options) {
  std::error_code ignored;
  if (fs::exists(path / backup_file_name, ignored))
    return verify_backup(path, options);
  auto directory = data_dir::open(path, open_mode::read);
  if (!directory && directory.code() != ec::journal_corrupt)
    return directory.error();
  if (!directory) {
    verify_report report;
    report.found.add(finding_kind::file_damaged, path.string(), directory.error().detail);
    report.skipped.push_back("all else: the directory cannot be opened");
    return report;
  }
  std::optional<file> lock;
  if (!options.online) {
    auto kept = keep_owner_out(*directory);
    if (!kept)
      return kept.error();
    lock = std::move(*kept);
  }
  return verifier{*directory, nullptr, options}.run();
}

} // namespace troupe::storage
