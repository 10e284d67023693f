// Loaded into a program by LD_PRELOAD: lets its file operations fail it. Told by the environment:
// TROUPE_SHIM_BELOW=DIR      only files below this directory count,
// TROUPE_SHIM_DIES_AT=N      SIGKILL instead of the N-th operation that changes or syncs one,
// TROUPE_SHIM_SLOW=PART:MS   a sync of a file with PART in its name takes so long,
// TROUPE_SHIM_FAILS_WITH=FILE   a sync of one fails as soon as FILE is there,
// TROUPE_SHIM_FAILS_AS=N     with this `errno`; without it: EIO,
// TROUPE_SHIM_HELD_BY=FILE   a sync of one waits as long as FILE is there; FILE.waits gets a byte,
// TROUPE_SHIM_LOG=FILE       FILE tells what was changed and synced, and what was said, in order.

#include "tests/support/fault_shim_log.hpp"

#include <cstdarg>
#include <cstdio>
#include <sys/syscall.h>
#include <unistd.h>

using namespace troupe::tests;

namespace {

int open_as(const char* function, const char* name, int flags, va_list more) {
  mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
  auto next = real(function, static_cast<int (*)(const char*, int, ...)>(nullptr));
  return opened(flags & (O_CREAT | O_TRUNC) ? whole(name) : std::string{}, flags,
                [&] { return next(name, flags, mode); });
}

} // namespace

#define REAL(name) static auto* const next = real(#name, &::name)

extern "C" {

int open(const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  int fd = open_as("open", name, flags, more);
  va_end(more);
  return fd;
}

int open64(const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  int fd = open_as("open64", name, flags, more);
  va_end(more);
  return fd;
}

ssize_t write(int fd, const void* data, size_t size) {
  REAL(write);
  count(fd);
  if (fd == STDOUT_FILENO)
    tell(data, size);
  iovec part{const_cast<void*>(data), size};
  return written(fd, -1, &part, 1, [&] { return next(fd, data, size); });
}

size_t fwrite(const void* data, size_t size, size_t n, FILE* to) {
  REAL(fwrite);
  if (to == stdout) // What it comes to the C library writes unseen.
    tell(data, size * n);
  return next(data, size, n, to);
}

ssize_t writev(int fd, const iovec* parts, int n) {
  REAL(writev);
  count(fd);
  return written(fd, -1, parts, n, [&] { return next(fd, parts, n); });
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  REAL(pwrite);
  count(fd);
  iovec part{const_cast<void*>(data), size};
  return written(fd, at, &part, 1, [&] { return next(fd, data, size, at); });
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  REAL(pwrite64);
  count(fd);
  iovec part{const_cast<void*>(data), size};
  return written(fd, at, &part, 1, [&] { return next(fd, data, size, at); });
}

ssize_t pwritev(int fd, const iovec* parts, int n, off_t at) {
  REAL(pwritev);
  count(fd);
  return written(fd, at, parts, n, [&] { return next(fd, parts, n, at); });
}

ssize_t pwritev64(int fd, const iovec* parts, int n, off64_t at) {
  REAL(pwritev64);
  count(fd);
  return written(fd, at, parts, n, [&] { return next(fd, parts, n, at); });
}

int fdatasync(int fd) {
  REAL(fdatasync);
  return synced(fd, [&] { return next(fd); });
}

int fsync(int fd) {
  REAL(fsync);
  return synced(fd, [&] { return next(fd); });
}

int syncfs(int fd) noexcept {
  REAL(syncfs);
  return synced(
      fd, [&] { return next(fd); }, true);
}

int ftruncate(int fd, off_t size) noexcept {
  REAL(ftruncate);
  count(fd);
  return changed(logs(fd), of_file(op::resize, fd, static_cast<std::uint64_t>(size)),
                 [&] { return next(fd, size); });
}

int ftruncate64(int fd, off64_t size) noexcept {
  REAL(ftruncate64);
  count(fd);
  return changed(logs(fd), of_file(op::resize, fd, static_cast<std::uint64_t>(size)),
                 [&] { return next(fd, size); });
}

int posix_fallocate(int fd, off_t at, off_t size) {
  REAL(posix_fallocate);
  return made_room(fd, at + size, [&] { return next(fd, at, size); });
}

void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  if (fd < 0) // Sanitizers ask for memory before anything here may be made, `next` included.
    return reinterpret_cast<void*>(::syscall(SYS_mmap, at, size, protection, flags, fd, offset));
  REAL(mmap);
  mapped(protection, flags, fd);
  return next(at, size, protection, flags, fd, offset);
}

int rename(const char* from, const char* to) noexcept {
  REAL(rename);
  auto name = whole(to);
  count(name);
  return changed(logs(name), of_names(op::rename, whole(from), name),
                 [&] { return next(from, to); });
}

int renameat2(int from_in, const char* from, int to_in, const char* to, unsigned flags) noexcept {
  REAL(renameat2);
  auto name = whole(to); // Nobody here names a directory of their own.
  count(name);
  auto what = flags & RENAME_EXCHANGE ? op::exchange : op::rename;
  return changed(logs(name), of_names(what, whole(from), name),
                 [&] { return next(from_in, from, to_in, to, flags); });
}

int link(const char* from, const char* to) noexcept {
  REAL(link);
  auto name = whole(to);
  return changed(logs(name), of_names(op::link, whole(from), name), [&] { return next(from, to); });
}

int unlink(const char* name) noexcept {
  REAL(unlink);
  auto gone = whole(name);
  count(gone);
  return changed(logs(gone), of_names(op::unlink, gone), [&] { return next(name); });
}

int remove(const char* name) noexcept {
  REAL(remove);
  auto gone = whole(name);
  count(gone);
  return changed(logs(gone), of_names(op::unlink, gone), [&] { return next(name); });
}

int unlinkat(int directory, const char* name, int flags) noexcept {
  REAL(unlinkat);
  auto gone =
      directory == AT_FDCWD || name[0] == '/' ? whole(name) : name_of(directory) + "/" + name;
  count(gone);
  return changed(logs(gone), of_names(op::unlink, gone),
                 [&] { return next(directory, name, flags); });
}

int rmdir(const char* name) noexcept {
  REAL(rmdir);
  auto gone = whole(name);
  count(gone);
  return changed(logs(gone), of_names(op::unlink, gone), [&] { return next(name); });
}

int mkdir(const char* name, mode_t mode) noexcept {
  REAL(mkdir);
  auto made = whole(name);
  count(made);
  return changed(logs(made), of_names(op::make_directory, made), [&] { return next(name, mode); });
}
}
