// Loaded into a program by LD_PRELOAD: lets its file operations fail it. Told by the environment:
// TROUPE_SHIM_BELOW=DIR      only files below this directory count,
// TROUPE_SHIM_DIES_AT=N      SIGKILL instead of the N-th operation that changes or syncs one,
// TROUPE_SHIM_SLOW=PART:MS   a sync of a file with PART in its name takes so long,
// TROUPE_SHIM_FAILS_WITH=FILE   a sync of one fails as soon as FILE is there,
// TROUPE_SHIM_HELD_BY=FILE   a sync of one waits as long as FILE is there, and makes FILE.waits.

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <string>
#include <sys/uio.h>
#include <unistd.h>

namespace {

struct settings {
  std::string below, slow_part, fails_with, held_by;
  long dies_at = 0, slow_ms = 0;

  settings() {
    auto text = [](const char* name) {
      auto set = std::getenv(name);
      return std::string{set ? set : ""};
    };
    below = text("TROUPE_SHIM_BELOW");
    fails_with = text("TROUPE_SHIM_FAILS_WITH");
    held_by = text("TROUPE_SHIM_HELD_BY");
    dies_at = std::atol(text("TROUPE_SHIM_DIES_AT").c_str());
    auto slow = text("TROUPE_SHIM_SLOW");
    if (auto colon = slow.rfind(':'); colon != slow.npos) {
      slow_part = slow.substr(0, colon);
      slow_ms = std::atol(slow.c_str() + colon + 1);
    }
  }
};

const settings& set() {
  static const settings x;
  return x;
}

/// The name of an open file; empty if it has none.
std::string name_of(int fd) {
  auto link = "/proc/self/fd/" + std::to_string(fd);
  char name[PATH_MAX];
  auto size = ::readlink(link.c_str(), name, sizeof name);
  return size > 0 ? std::string(name, static_cast<std::size_t>(size)) : std::string{};
}

/// A relative name as seen from where the program works.
std::string whole(const char* name) {
  if (name[0] == '/')
    return name;
  char here[PATH_MAX];
  return ::getcwd(here, sizeof here) ? std::string{here} + "/" + name : std::string{name};
}

void count(const std::string& name) {
  static long counted = 0;
  auto& x = set();
  if (x.dies_at == 0 || !name.starts_with(x.below))
    return;
  if (__atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST) >= x.dies_at) {
    ::kill(::getpid(), SIGKILL);
    for (;;)
      ::pause();
  }
}

void count(int fd) {
  if (set().dies_at != 0)
    count(name_of(fd));
}

bool is_there(const std::string& name) { return ::access(name.c_str(), F_OK) == 0; }

void hold(int fd) {
  auto& x = set();
  if (x.held_by.empty() || !is_there(x.held_by) || !name_of(fd).starts_with(x.below))
    return;
  ::close(::creat((x.held_by + ".waits").c_str(), 0600));
  for (timespec look{0, 1'000'000}; is_there(x.held_by); look = {0, 1'000'000})
    ::nanosleep(&look, nullptr); // Whoever has made the file takes it away.
}

void delay(int fd) {
  auto& x = set();
  if (x.slow_ms == 0 || name_of(fd).find(x.slow_part) == std::string::npos)
    return;
  timespec left{x.slow_ms / 1000, x.slow_ms % 1000 * 1'000'000};
  while (::nanosleep(&left, &left) != 0) // The delay is the fault.
    ;
}

bool fails(int fd) {
  auto& x = set();
  return !x.fails_with.empty() && is_there(x.fails_with) && name_of(fd).starts_with(x.below);
}

int fail() {
  errno = EIO;
  return -1;
}

/// The system's own function.
template <class F>
F* real(const char* name, F*) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

int open_as(const char* function, const char* name, int flags, va_list more) {
  mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
  if (flags & (O_CREAT | O_TRUNC))
    count(whole(name));
  return real(function, static_cast<int (*)(const char*, int, ...)>(nullptr))(name, flags, mode);
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
  return next(fd, data, size);
}

ssize_t writev(int fd, const iovec* parts, int n) {
  REAL(writev);
  count(fd);
  return next(fd, parts, n);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  REAL(pwrite);
  count(fd);
  return next(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  REAL(pwrite64);
  count(fd);
  return next(fd, data, size, at);
}

ssize_t pwritev(int fd, const iovec* parts, int n, off_t at) {
  REAL(pwritev);
  count(fd);
  return next(fd, parts, n, at);
}

ssize_t pwritev64(int fd, const iovec* parts, int n, off64_t at) {
  REAL(pwritev64);
  count(fd);
  return next(fd, parts, n, at);
}

int fdatasync(int fd) {
  REAL(fdatasync);
  count(fd);
  delay(fd);
  hold(fd);
  return fails(fd) ? fail() : next(fd);
}

int fsync(int fd) {
  REAL(fsync);
  count(fd);
  delay(fd);
  hold(fd);
  return fails(fd) ? fail() : next(fd);
}

int ftruncate(int fd, off_t size) noexcept {
  REAL(ftruncate);
  count(fd);
  return next(fd, size);
}

int ftruncate64(int fd, off64_t size) noexcept {
  REAL(ftruncate64);
  count(fd);
  return next(fd, size);
}

int rename(const char* from, const char* to) noexcept {
  REAL(rename);
  count(whole(to));
  return next(from, to);
}

int unlink(const char* name) noexcept {
  REAL(unlink);
  count(whole(name));
  return next(name);
}

int unlinkat(int directory, const char* name, int flags) noexcept {
  REAL(unlinkat);
  count(directory == AT_FDCWD ? whole(name) : name_of(directory));
  return next(directory, name, flags);
}

int rmdir(const char* name) noexcept {
  REAL(rmdir);
  count(whole(name));
  return next(name);
}

int mkdir(const char* name, mode_t mode) noexcept {
  REAL(mkdir);
  count(whole(name));
  return next(name, mode);
}
}
