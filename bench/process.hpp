#pragma once

#include <cstdio>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <type_traits>
#include <unistd.h>

namespace troupe::bench {

/// A value that this process and its children see alike; it starts as zeros.
template <class T>
requires std::is_trivially_destructible_v<T>
class shared {
public:
  shared()
      : at_(::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (at_ == MAP_FAILED)
      throw std::runtime_error{"no memory to share with a child"};
  }
  ~shared() { ::munmap(at_, sizeof(T)); }
  shared(const shared&) = delete;
  shared& operator=(const shared&) = delete;

  T* operator->() const noexcept { return static_cast<T*>(at_); }
  T& operator*() const noexcept { return *static_cast<T*>(at_); }

private:
  void* at_;
};

/// Begins a child: its memory and its threads are as those of a new process. This one must have no
/// threads.
inline pid_t begin_child(const std::function<void()>& body) {
  std::fflush(nullptr);
  auto child = ::fork();
  if (child != 0)
    return child;
  int code = 0;
  try {
    body();
  } catch (const std::exception& x) {
    std::fprintf(stderr, "%s\n", x.what());
    code = 1;
  }
  std::fflush(nullptr);
  ::_exit(code);
}

inline void end_child(pid_t child) {
  int outcome = 0;
  if (::waitpid(child, &outcome, 0) != child || outcome != 0)
    throw std::runtime_error{"a child of the benchmark failed"};
}

inline void in_child(const std::function<void()>& body) { end_child(begin_child(body)); }

/// The processor time of this process.
inline double cpu_seconds() {
  rusage x{};
  ::getrusage(RUSAGE_SELF, &x);
  auto of = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  return of(x.ru_utime) + of(x.ru_stime);
}

/// A number of /proc/self/status in bytes: `VmRSS` is all that is mapped and there, `RssAnon` what
/// is no file.
inline double memory_bytes(const std::string& name) {
  std::ifstream in{"/proc/self/status"};
  for (std::string word; in >> word;)
    if (word == name + ":") {
      double kilobytes = 0;
      in >> kilobytes;
      return kilobytes * 1024;
    }
  return 0;
}

} // namespace troupe::bench
