#pragma once

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <mutex>
#include <string>
#include <unistd.h>

namespace troupe::tests {

/// What `fault_shim.cpp` is told by the environment.
struct settings {
  std::string below, slow_part, fails_with, held_by, log;
  long dies_at = 0, slow_ms = 0;
  int fails_as = EIO;

  settings() {
    auto text = [](const char* name) {
      auto set = std::getenv(name);
      return std::string{set ? set : ""};
    };
    below = text("TROUPE_SHIM_BELOW");
    fails_with = text("TROUPE_SHIM_FAILS_WITH");
    held_by = text("TROUPE_SHIM_HELD_BY");
    log = text("TROUPE_SHIM_LOG");
    if (auto number = text("TROUPE_SHIM_FAILS_AS"); !number.empty())
      fails_as = std::atoi(number.c_str());
    dies_at = std::atol(text("TROUPE_SHIM_DIES_AT").c_str());
    auto slow = text("TROUPE_SHIM_SLOW");
    if (auto colon = slow.rfind(':'); colon != slow.npos) {
      slow_part = slow.substr(0, colon);
      slow_ms = std::atol(slow.c_str() + colon + 1);
    }
  }
};

inline const settings& set() {
  static const settings x;
  return x;
}

/// The name of an open file; empty if it has none.
inline std::string name_of(int fd) {
  auto link = "/proc/self/fd/" + std::to_string(fd);
  char name[PATH_MAX];
  auto size = ::readlink(link.c_str(), name, sizeof name);
  return size > 0 ? std::string(name, static_cast<std::size_t>(size)) : std::string{};
}

/// A relative name as seen from where the program works.
inline std::string whole(const char* name) {
  if (name[0] == '/')
    return name;
  char here[PATH_MAX];
  return ::getcwd(here, sizeof here) ? std::string{here} + "/" + name : std::string{name};
}

/// Held while something is changed that is logged: a process dies before or after it.
inline std::mutex& changing_mutex() {
  static std::mutex x;
  return x;
}

inline void count(const std::string& name) {
  static long counted = 0;
  auto& x = set();
  if (x.dies_at == 0 || !name.starts_with(x.below))
    return;
  if (__atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST) >= x.dies_at) {
    std::scoped_lock alone{changing_mutex()};
    ::kill(::getpid(), SIGKILL);
    for (;;)
      ::pause();
  }
}

inline void count(int fd) {
  if (set().dies_at != 0)
    count(name_of(fd));
}

inline bool is_there(const std::string& name) { return ::access(name.c_str(), F_OK) == 0; }

inline void hold(int fd) {
  auto& x = set();
  if (x.held_by.empty() || !is_there(x.held_by) || !name_of(fd).starts_with(x.below))
    return;
  int waits = ::open((x.held_by + ".waits").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (::write(waits, ".", 1) != 1)
    ::abort();
  ::close(waits);
  for (timespec look{0, 1'000'000}; is_there(x.held_by); look = {0, 1'000'000})
    ::nanosleep(&look, nullptr); // Whoever has made the file takes it away.
}

inline void delay(int fd) {
  auto& x = set();
  if (x.slow_ms == 0 || name_of(fd).find(x.slow_part) == std::string::npos)
    return;
  timespec left{x.slow_ms / 1000, x.slow_ms % 1000 * 1'000'000};
  while (::nanosleep(&left, &left) != 0) // The delay is the fault.
    ;
}

inline bool fails(int fd) {
  auto& x = set();
  return !x.fails_with.empty() && is_there(x.fails_with) && name_of(fd).starts_with(x.below);
}

inline int fail() {
  errno = set().fails_as;
  return -1;
}

/// The system's own function.
template <class F>
F* real(const char* name, F*) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

} // namespace troupe::tests
