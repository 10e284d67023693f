#include "storage/data_dir.hpp"

#include "storage/backup_manifest.hpp"
#include "storage/data_lock.hpp"
#include "storage/segment_file.hpp"

#include <cassert>
#include <cerrno>
#include <fcntl.h>

namespace troupe::storage {

namespace {

constexpr const char* manifest_name = "MANIFEST";
constexpr const char* manifest_passing_name = "MANIFEST.tmp";

core::byte_view bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Makes the directory if that is wished; refuses what is none.
status enter_directory(file_ops& files, const std::filesystem::path& path, open_mode mode) {
  int fd = files.open(path, O_RDONLY | O_DIRECTORY);
  if (fd >= 0) {
    files.close(fd);
    return {};
  }
  if (fd == -ENOTDIR)
    return error{ec::io_failed,
                 path.string() + " is not a directory; name a directory for the data"};
  if (fd != -ENOENT)
    return os_error("open the data directory", path, fd);
  if (mode == open_mode::read)
    return error{ec::io_failed, "there is no data directory " + path.string()
                                    + "; check the path, or run a job first"};
  return make_directories(files, path);
}

/// A backup never changes, and holds nothing that could be read as a data directory.
status refuse_backup(file_ops& files, const std::filesystem::path& path) {
  file_about ignored;
  if (files.about(path / backup_file_name, ignored) < 0)
    return {};
  return error{ec::io_failed, path.string() + " is a backup, no data directory; `troupe restore "
                                  + path.string() + " --data NEW` makes one of it"};
}

/// Removes what a crash left of an import, a compaction or a restore. What they have put into its
/// place is made durable first.
status remove_passing(file_ops& files, const std::filesystem::path& path) {
  for (auto name : {journal_passing_name, compact_passing_name, copy_passing_name}) {
    std::vector<std::string> names;
    if (files.list(path / name, names) == -ENOENT)
      continue;
    if (auto synced = sync_directory(files, path); !synced)
      return synced;
    std::error_code failed;
    std::filesystem::remove_all(path / name, failed);
    if (failed)
      return os_error("remove", path / name, -failed.value());
  }
  return {};
}

/// Whether the directory holds journal segments; one that is not there holds none.
bool has_segments(file_ops& files, const std::filesystem::path& journal) {
  auto numbers = list_segments(files, journal);
  return numbers ? !numbers->empty() : numbers.code() == ec::journal_corrupt;
}

} // namespace

result<data_dir> data_dir::open(const std::filesystem::path& directory, open_mode mode,
                                const data_dir_options& options) {
  data_dir opened{directory, *options.files};
  if (auto entered = enter_directory(*options.files, directory, mode); !entered)
    return entered.error();
  if (auto refused = refuse_backup(*options.files, directory); !refused)
    return refused.error();
  if (mode == open_mode::write) {
    auto lock = lock_data(*options.files, directory);
    if (!lock)
      return lock.error();
    opened.lock_ = std::move(*lock);
  }
  if (auto loaded = opened.load(options); !loaded)
    return loaded.error();
  if (mode == open_mode::write)
    if (auto removed = remove_passing(*options.files, directory); !removed)
      return removed.error();
  return opened;
}

/// Nobody is to be told of a process that has left.
data_dir::~data_dir() {
  if (lock_ && lock_->descriptor() >= 0)
    (void)lock_->truncate(0);
}

status data_dir::load(const data_dir_options& options) {
  auto name = path_ / manifest_name;
  auto text = read_file(*files_, name);
  if (!text)
    return text.error();
  if (!*text)
    return create(options);
  auto found = decode_manifest({reinterpret_cast<const char*>((*text)->data()), (*text)->size()});
  if (!found)
    return error{found.code(),
                 name.string() + " cannot be used: " + found.error().detail
                     + (found.code() == ec::newer_format ? "; start the version that wrote it"
                                                         : "; restore it from a backup")};
  about_ = *found;
  if (options.expected_node && *options.expected_node != about_.owner.node)
    return error{ec::wrong_node, path_.string() + " belongs to node " + to_string(about_.owner.node)
                                     + ", not to " + to_string(*options.expected_node)
                                     + "; open that node's own directory"};
  if (std::vector<std::string> names; files_->list(journal_path(), names) == -ENOENT)
    return error{ec::journal_corrupt,
                 journal_path().string() + " is gone; put it back or restore a backup"};
  return {};
}

status data_dir::create(const data_dir_options& options) {
  if (has_segments(*files_, journal_path()))
    return error{ec::journal_corrupt, (path_ / manifest_name).string()
                                          + " is gone, but a journal is there; put it back or "
                                            "restore a backup"};
  if (!lock_)
    return error{ec::io_failed,
                 path_.string() + " is not a data directory: it has no MANIFEST; check the path"};
  if (file_about ignored; files_->about(path_ / copy_passing_name, ignored) == 0)
    return error{ec::journal_corrupt, path_.string()
                                          + " is half of a copy that was not finished, or one is "
                                            "at work; remove all that is in it and copy again"};
  about_.owner = {options.expected_node.value_or(random_node_id()), options.incarnation};
  about_.shards = options.shards;
  about_.format = data_format_first; // Until it has a snapshot.
  about_.feature_level = feature_level_first;
  about_.created = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  // The journal's directory comes first: a manifest without it tells that it was removed.
  if (auto made = make_directories(*files_, journal_path()); !made)
    return made;
  return write_manifest(about_);
}

status data_dir::upgrade() {
  auto next = about_;
  next.format = data_format_version;
  next.feature_level = feature_level_known;
  if (next == about_)
    return {};
  auto written = write_manifest(next);
  if (written)
    about_ = next;
  return written;
}

status data_dir::write_manifest(const manifest& x) {
  assert(mode() == open_mode::write);
  return replace_file(*files_, path_ / manifest_name, path_ / manifest_passing_name,
                      bytes_of(encode(x)));
}

} // namespace troupe::storage
