#include "storage/backup.hpp"
#include "storage/data_dir.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;

/// `DIR/` is `DIR`.
fs::path without_slash(const fs::path& x) { return x.has_filename() ? x : x.parent_path(); }

/// The directory itself, not a link to it; with a name, also if it was `.`.
result<fs::path> resolved(const fs::path& named) {
  std::error_code failed;
  auto found = fs::weakly_canonical(fs::absolute(without_slash(named)), failed);
  return failed ? result<fs::path>{os_error("examine", named, -failed.value())}
                : result<fs::path>{without_slash(found)};
}

error taken(const fs::path& x) {
  return {ec::invalid_spec, x.string() + " is there already and not empty; name another directory"};
}

error unfinished(const fs::path& copy, const std::string& what) {
  return {ec::invalid_spec, copy.string()
                                + " is left of a copy that was not finished, or one is at work; "
                                  "remove "
                                + what + ", then repeat"};
}

/// Whether there is nothing in a directory but what a file system has in its root.
status check_empty(const fs::path& x) {
  std::vector<std::string> names;
  if (int failed = system_files().list(x, names); failed < 0)
    return failed == -ENOTDIR ? taken(x) : os_error("look into", x, failed);
  if (std::ranges::find(names, copy_passing_name) != names.end())
    return unfinished(x / copy_passing_name, "all that is in " + x.string());
  bool empty = std::ranges::all_of(names, [](auto& name) { return name == "lost+found"; });
  return empty ? status{} : status{taken(x)};
}

/// Makes what a copy is written to. Errors: `invalid_spec` if it is there.
status make_passing(const fs::path& x) {
  int failed = system_files().make_directory(x);
  if (failed == -EEXIST)
    return unfinished(x, "it");
  return failed < 0 ? status{os_error("make the directory", x, failed)} : status{};
}

/// What says what a directory is: without it nobody takes it for anything.
bool is_marker(const std::string& name) { return name == "MANIFEST" || name == backup_file_name; }

/// Everything of the file system that holds `path` is on the disk when this returns.
status sync_all(const fs::path& path) {
  auto opened = file::open(system_files(), path, O_RDONLY | O_DIRECTORY);
  if (!opened)
    return opened.error();
  return ::syncfs(opened->descriptor()) == 0 ? status{} : status{os_error("sync", path, -errno)};
}

} // namespace

result<passing_directory> passing_directory::make(const fs::path& named) {
  auto target = resolved(named);
  if (!target)
    return target.error();
  std::error_code failed;
  auto kind = fs::symlink_status(*target, failed).type();
  auto path = *target;
  if (kind != fs::file_type::not_found) {
    if (auto empty = check_empty(*target); !empty)
      return empty.error();
    path /= copy_passing_name;
  } else {
    path += ".partial";
    if (auto above = make_directories(system_files(), target->parent_path()); !above)
      return above.error();
  }
  if (auto made = make_passing(path); !made)
    return made.error();
  return passing_directory{path, *target};
}

passing_directory::~passing_directory() {
  std::error_code ignored;
  for (auto& name : moved_)
    fs::remove_all(target_ / name, ignored);
  if (!path_.empty())
    fs::remove_all(path_, ignored);
}

status passing_directory::finish() {
  if (auto synced = sync_all(path_); !synced)
    return synced;
  auto done = path_.parent_path() == target_ ? fill_target() : become_target();
  if (!done)
    return done;
  path_.clear();
  moved_.clear();
  return {};
}

status passing_directory::become_target() {
  auto& files = system_files();
  if (int failed = files.rename(path_, target_); failed < 0)
    return os_error("rename", path_, failed);
  path_.clear();
  return sync_directory(files, target_.parent_path());
}

/// What says what it is comes last, once all else is there for sure.
status passing_directory::fill_target() {
  auto& files = system_files();
  std::vector<std::string> names;
  if (int failed = files.list(path_, names); failed < 0)
    return os_error("look into", path_, failed);
  std::ranges::sort(names, {}, is_marker);
  for (auto& name : names) {
    if (auto synced = is_marker(name) ? sync_directory(files, target_) : status{}; !synced)
      return synced;
    moved_.push_back(name);
    if (int failed = files.rename(path_ / name, target_ / name); failed < 0)
      return os_error("rename", path_ / name, failed);
  }
  if (auto synced = sync_directory(files, target_); !synced)
    return synced;
  std::error_code ignored; // It is empty; whoever opens the target removes it, too.
  fs::remove(path_, ignored);
  return {};
}

} // namespace troupe::storage
