#include "node/security/owned_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::node {

namespace {

namespace fs = std::filesystem;

fs::path directory_of(const fs::path& name) {
  return name.has_parent_path() ? name.parent_path() : fs::path{"."};
}

/// Whom a file with this name should belong to: root's own file in the directory of somebody else
/// was made by a mistake, and nobody but root can read it. Nothing if it cannot be known.
std::optional<struct stat> owner_of(const fs::path& name) {
  struct stat old {
  }, directory{};
  if (::stat(name.c_str(), &old) == 0 && old.st_uid != 0)
    return old;
  if (::stat(directory_of(name).c_str(), &directory) != 0)
    return {};
  return directory;
}

enum class made : std::uint8_t { now, by_anyone };

/// Gives a file that root has made to its owner. A file with a second name is left alone: it may
/// be one that somebody else has put there.
status give(const storage::file& to, const fs::path& name, made when) {
  struct stat now {};
  if (::geteuid() != 0 || ::fstat(to.descriptor(), &now) != 0
      || (now.st_uid != 0 && when != made::now) || !S_ISREG(now.st_mode) || now.st_nlink != 1)
    return {};
  auto owner = owner_of(name);
  if (!owner || owner->st_uid == 0)
    return {};
  if (::fchown(to.descriptor(), owner->st_uid, owner->st_gid) != 0)
    return storage::os_error("change the owner of", to.name(), -errno);
  return {};
}

} // namespace

result<storage::file> open_owned(const fs::path& name) {
  auto opened = storage::file::open(storage::system_files(), name, O_RDWR | O_CREAT | O_NOFOLLOW);
  if (!opened)
    return opened;
  if (auto given = give(*opened, name, made::by_anyone); !given)
    return given.error();
  return opened;
}

status replace_owned(const fs::path& name, core::byte_view data) {
  auto& ops = storage::system_files();
  auto through = name;
  through += ".new";
  ops.unlink(through); // What a crash has left.
  auto written = [&]() -> status {
    auto fresh = storage::file::open(ops, through, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    if (!fresh)
      return fresh.error();
    if (auto given = give(*fresh, name, made::now); !given)
      return given;
    if (auto done = fresh->write(data, 0); !done)
      return done;
    if (auto done = fresh->sync(); !done)
      return done;
    int renamed = ops.rename(through, name);
    return renamed < 0 ? status{storage::os_error("rename", through, renamed)} : status{};
  }();
  if (!written)
    ops.unlink(through);
  return written ? storage::sync_directory(ops, directory_of(name)) : written;
}

} // namespace troupe::node
