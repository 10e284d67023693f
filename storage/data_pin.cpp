#include "storage/data_pin.hpp"

#include "troupe/limits.hpp"

#include <cerrno>
#include <fcntl.h>
#include <thread>

namespace troupe::storage {

namespace {

constexpr const char* pin_name = "PIN";
constexpr auto retry_every = std::chrono::milliseconds{5};
constexpr auto readers_wait = std::chrono::seconds{1}; ///< A list of jobs is read faster.

} // namespace

result<data_pin> data_pin::take(const data_dir& directory) {
  auto& files = directory.files();
  auto name = directory.path() / pin_name;
  int fd = files.open(name, O_RDONLY);
  if (fd == -ENOENT) // Its owner is of an older version, or none has been here yet.
    fd = files.open(name, O_RDONLY | O_CREAT);
  if (fd == -EROFS)
    return data_pin{std::nullopt};
  if (fd < 0)
    return os_error("open", name, fd);
  file lock{files, name, fd};
  auto until = std::chrono::steady_clock::now() + limits::data_pin_wait;
  for (;;) {
    int failed = files.lock_shared(fd);
    if (failed == 0)
      return data_pin{std::move(lock)};
    if (failed != -EWOULDBLOCK)
      return os_error("lock", name, failed);
    if (std::chrono::steady_clock::now() >= until)
      return error{ec::timed_out, "the owner of " + directory.path().string()
                                      + " is removing what is no longer needed and does not come "
                                        "to an end; see whether it runs, then repeat"};
    std::this_thread::sleep_for(retry_every);
  }
}

result<removal_gate> removal_gate::open(const data_dir& directory) {
  auto lock = file::open(directory.files(), directory.path() / pin_name, O_RDWR | O_CREAT);
  if (!lock)
    return lock.error();
  return removal_gate{directory.files(), std::move(*lock)};
}

status removal_gate::pass(const std::function<status()>& remove) {
  int failed = files_->lock(lock_.descriptor());
  if (failed == -EWOULDBLOCK)
    return error{ec::not_ready, lock_.name().string() + " is held by a backup or a reader"};
  if (failed < 0)
    return os_error("lock", lock_.name(), failed);
  auto done = remove();
  files_->unlock(lock_.descriptor());
  return done;
}

status removal_gate::pass_soon(const std::function<status()>& remove) {
  auto until = std::chrono::steady_clock::now() + readers_wait;
  auto done = pass(remove);
  while (done.code() == ec::not_ready && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(retry_every);
    done = pass(remove);
  }
  if (done.code() != ec::not_ready)
    return done;
  return error{ec::already_open, lock_.name().parent_path().string()
                                     + " is held by a backup or a reader, e.g. an export; repeat "
                                       "when it has ended"};
}

} // namespace troupe::storage
