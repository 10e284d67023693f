#include "storage/compact.hpp"

#include "storage/backup_parts.hpp"
#include "storage/data_pin.hpp"
#include "storage/disk_guard.hpp"
#include "storage/snapshot_presence.hpp"

#include <cerrno>

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;

fs::path snapshot_of(const fs::path& directory) { return directory / "snapshot" / "data.mdb"; }

result<std::unique_ptr<lmdb_tables>> open_existing(const data_dir& directory) {
  lmdb_options options;
  options.expect_existing = true;
  return open_lmdb_tables(directory, options);
}

/// Whether there is room for so many bytes, if need be where accepted jobs have a reserve: nobody
/// takes jobs now, and the next owner makes it again.
status make_room(const data_dir& at, std::uint64_t bytes) {
  disk_guard_options options;
  options.own_thread = false;
  auto guard = disk_guard::open(at, options);
  if (!guard)
    return guard.error();
  if ((*guard)->state().free_bytes < bytes)
    (*guard)->make_room();
  auto free = (*guard)->state().free_bytes;
  if (bytes <= free)
    return {};
  return error{ec::no_space, "a new snapshot will take " + std::to_string(bytes) + " bytes, "
                                 + std::to_string(free) + " are free at " + at.path().string()
                                 + "; free space, then repeat"};
}

/// Copies what is in use; how many bytes the old file has.
result<std::uint64_t> copy(const data_dir& from, const fs::path& to) {
  auto tables = open_existing(from);
  if (!tables)
    return tables.error();
  auto sizes = (*tables)->sizes();
  if (auto room = make_room(from, sizes.used); !room)
    return room.error();
  if (auto made = make_directories(from.files(), to / "snapshot"); !made)
    return made.error();
  if (auto copied = (*tables)->copy(snapshot_of(to), true); !copied)
    return copied.error();
  return sizes.file;
}

/// Reads the copy as its owner will.
status check(const data_dir& from, const fs::path& copied) {
  auto parts = data_dir::of_parts(copied, from.about());
  auto tables = open_existing(parts);
  if (!tables)
    return tables.error();
  auto sum = check_parts(parts, **tables);
  return sum ? status{} : status{sum.error()};
}

/// Puts the copy into the place of the old file. The table of readers goes first: one that has the
/// old file open would go on in it, and the next owner take its number for the new file's.
status replace(const data_dir& at, const fs::path& copied) {
  auto to = snapshot_of(at.path());
  auto readers = to.parent_path() / "lock.mdb";
  if (int failed = at.files().unlink(readers); failed < 0 && failed != -ENOENT)
    return os_error("remove", readers, failed);
  if (int failed = at.files().rename(snapshot_of(copied), to); failed < 0)
    return os_error("rename", snapshot_of(copied), failed);
  return sync_directory(at.files(), to.parent_path());
}

} // namespace

result<compact_report> compact(const fs::path& data) {
  // Looks first: opening to write would make a directory that is not there.
  if (auto there = data_dir::open(data, open_mode::read); !there)
    return there.error();
  auto directory = data_dir::open(data, open_mode::write);
  if (!directory)
    return directory.error();
  auto found = presence_of_snapshot(*directory);
  if (!found)
    return found.error();
  if (*found == snapshot_presence::lost)
    return snapshot_lost(*directory);
  if (*found != snapshot_presence::there)
    return error{ec::io_failed, data.string()
                                    + " has no snapshot yet; open it once, e.g. with "
                                      "`troupe run`"};
  auto gate = removal_gate::open(*directory);
  if (!gate)
    return gate.error();
  if (auto alone = gate->pass_soon([] { return status{}; }); !alone)
    return alone.error();
  auto passing = data / compact_passing_name;
  std::error_code failed;
  fs::remove_all(passing, failed);
  auto before = copy(*directory, passing);
  if (!before)
    return before.error();
  auto done = check(*directory, passing);
  bool smaller = fs::file_size(snapshot_of(passing), failed) < *before && !failed;
  if (done && smaller)
    done = gate->pass_soon([&] { return replace(*directory, passing); });
  fs::remove_all(passing, failed);
  if (!done)
    return done.error();
  return compact_report{*before, fs::file_size(snapshot_of(data), failed)};
}

} // namespace troupe::storage
