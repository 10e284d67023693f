#include "actors/kinds/process_mark.hpp"

#include "actors/kinds/pidfd.hpp"
#include "actors/kinds/unique_fd.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::actors {

namespace {

constexpr int passes_max = 8; ///< Over all processes, as long as some are found.
constexpr std::size_t environment_chunk = 32 << 10;

/// One of the records that `getdents64` fills a buffer with, see getdents(2).
struct directory_record {
  std::uint64_t inode;
  std::int64_t next;
  std::uint16_t length;
  std::uint8_t type;
  char name[1];
};

/// The process that a name in /proc is of; 0: of none.
pid_t pid_of(const char* name) noexcept {
  pid_t pid = 0;
  for (; *name >= '0' && *name <= '9'; ++name)
    pid = pid * 10 + (*name - '0');
  return *name == '\0' ? pid : 0;
}

using entries = std::vector<std::string>;

/// Whether the file holds `entry`. It is read as if a zero stood before it.
bool holds(int file, std::string_view entry) noexcept {
  if (::lseek(file, 0, SEEK_SET) != 0)
    return false;
  std::array<char, environment_chunk> chunk;
  std::size_t kept = 1;
  chunk[0] = '\0';
  for (;;) {
    auto n = ::read(file, chunk.data() + kept, chunk.size() - kept);
    if (n <= 0)
      return false;
    std::string_view text{chunk.data(), kept + static_cast<std::size_t>(n)};
    if (text.find(entry) != text.npos)
      return true;
    kept = std::min(entry.size() - 1, text.size());
    std::memmove(chunk.data(), text.data() + text.size() - kept, kept);
  }
}

/// Kills the process of this name in /proc if it is marked.
bool kill_if_marked(int proc, const char* name, const entries& marks) noexcept {
  auto pid = pid_of(name);
  if (pid <= 1 || pid == ::getpid())
    return false;
  unique_fd process{::pidfd_open(pid, 0)}; // Before the look: it cannot become another one's.
  char path[32] = {};
  std::strncpy(path, name, 16);
  std::strncat(path, "/environ", 9);
  unique_fd environment{::openat(proc, path, O_RDONLY | O_CLOEXEC)};
  auto is_marked = process && environment && std::ranges::all_of(marks, [&](auto& entry) {
                     return holds(environment.get(), entry);
                   });
  return is_marked && ::pidfd_send_signal(process.get(), SIGKILL, nullptr, 0) == 0;
}

std::size_t kill_marked(const entries& marks) noexcept {
  unique_fd proc{::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  alignas(directory_record) std::array<char, 8192> records;
  std::size_t killed = 0;
  for (;;) {
    auto n = proc ? ::syscall(SYS_getdents64, proc.get(), records.data(), records.size()) : 0;
    if (n <= 0)
      return killed;
    for (long at = 0; at < n;) {
      auto x = reinterpret_cast<const directory_record*>(records.data() + at);
      killed += kill_if_marked(proc.get(), x->name, marks);
      at += x->length;
    }
  }
}

} // namespace

process_mark::process_mark(const std::vector<std::pair<std::string, std::string>>& variables) {
  for (auto& [name, value] : variables)
    entries_.push_back('\0' + (name + "=" + value) + '\0');
}

std::size_t process_mark::kill_all() const noexcept {
  std::size_t all = 0;
  for (int pass = 0; pass < passes_max; ++pass) {
    auto killed = kill_marked(entries_);
    if (killed == 0)
      break;
    all += killed;
  }
  return all;
}

} // namespace troupe::actors
