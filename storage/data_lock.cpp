#include "storage/data_lock.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::storage {

namespace {

/// Whether the process holds a lock of the file: so say the system's locks.
bool holds(long pid, const std::filesystem::path& name) {
  struct stat about {};
  if (::stat(name.c_str(), &about) != 0)
    return false;
  std::ifstream locks{"/proc/locks"};
  for (std::string line; std::getline(locks, line);) {
    long holder = 0;
    unsigned long inode = 0;
    auto read = std::sscanf(line.c_str(), "%*s FLOCK %*s WRITE %ld %*x:%*x:%lu", &holder, &inode);
    if (read == 2 && holder == pid && inode == about.st_ino)
      return true;
  }
  return false;
}

/// The id that the last owner left; 0 if it left none.
long left_pid(const file& lock) {
  core::bytes text(20);
  auto got = lock.read(text, 0);
  text.resize(got ? *got : 0);
  return std::atol(std::string{text.begin(), text.end()}.c_str());
}

error already_open(const file& lock) {
  auto pid = left_pid(lock);
  auto known = pid > 0 && holds(pid, lock.name());
  auto who = !known            ? std::string{"another process (an owner, or a check such as "
                                             "`troupe verify`)"}
             : pid == getpid() ? "this process (pid " + std::to_string(pid) + ")"
                               : "the process with pid " + std::to_string(pid);
  return {ec::already_open, lock.name().parent_path().string() + " is already in use by " + who
                                + "; use or end that one"};
}

/// Only messages use it: a disk without room for it does not keep the owner out.
void leave_pid(file& lock) {
  auto pid = std::to_string(::getpid());
  core::byte_view text{reinterpret_cast<const std::uint8_t*>(pid.data()), pid.size()};
  if (lock.truncate(0))
    (void)lock.write(text, 0);
}

} // namespace

result<file> lock_data(file_ops& files, const std::filesystem::path& directory) {
  auto lock = file::open(files, directory / data_lock_name, O_RDWR | O_CREAT);
  if (!lock)
    return lock.error();
  if (int failed = files.lock(lock->descriptor()); failed == -EWOULDBLOCK)
    return already_open(*lock);
  else if (failed < 0)
    return os_error("lock", lock->name(), failed);
  leave_pid(*lock);
  return lock;
}

} // namespace troupe::storage
