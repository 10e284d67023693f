#include "storage/backup.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;

/// `DIR/` is `DIR`.
fs::path without_slash(const fs::path& x) { return x.has_filename() ? x : x.parent_path(); }

/// Whether there is nothing of this name but maybe an empty directory.
bool is_free(const fs::path& x) {
  std::error_code failed;
  auto kind = fs::symlink_status(x, failed).type();
  return kind == fs::file_type::not_found
         || (kind == fs::file_type::directory && fs::is_empty(x, failed) && !failed);
}

/// Everything of the file system that holds `path` is on the disk when this returns.
status sync_all(const fs::path& path) {
  auto opened = file::open(system_files(), path, O_RDONLY | O_DIRECTORY);
  if (!opened)
    return opened.error();
  return ::syncfs(opened->descriptor()) == 0 ? status{} : status{os_error("sync", path, -errno)};
}

/// What takes the place of an empty directory belongs to whom that does. Only root can do so.
status take_owner(const fs::path& of, const fs::path& to) {
  struct stat about {};
  if (::geteuid() != 0 || ::stat(of.c_str(), &about) != 0 || about.st_uid == 0)
    return {};
  auto opened = file::open(system_files(), to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!opened)
    return opened.error();
  if (::fchown(opened->descriptor(), about.st_uid, about.st_gid) == 0)
    return {};
  return os_error("change the owner of", to, -errno);
}

} // namespace

result<passing_directory> passing_directory::make(const fs::path& named) {
  auto target = fs::absolute(without_slash(named));
  if (!is_free(target))
    return error{ec::invalid_spec,
                 target.string() + " is there already and not empty; name another directory"};
  auto path = target;
  path += ".partial";
  auto& files = system_files();
  if (auto made = make_directories(files, target.parent_path()); !made)
    return made.error();
  int failed = files.make_directory(path);
  if (failed == -EEXIST)
    return error{ec::invalid_spec, path.string()
                                       + " is left of a copy that was not finished, or "
                                         "one is at work; remove it, then repeat"};
  if (failed < 0)
    return os_error("make the directory", path, failed);
  passing_directory made{path, target};
  if (auto taken = take_owner(target, path); !taken)
    return taken.error();
  return made;
}

passing_directory::~passing_directory() {
  std::error_code ignored;
  if (!path_.empty())
    fs::remove_all(path_, ignored);
}

status passing_directory::finish() {
  if (auto synced = sync_all(path_); !synced)
    return synced;
  auto& files = system_files();
  if (int failed = files.rename(path_, target_); failed < 0)
    return os_error("rename", path_, failed);
  path_.clear();
  return sync_directory(files, target_.parent_path());
}

} // namespace troupe::storage
