#include "actors/kinds/guard.hpp"

#include "actors/kinds/pidfd.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <fcntl.h>
#include <sys/mman.h>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

namespace troupe::actors {

namespace {

bool tell(int door, pid_t message) noexcept {
  return ::send(door, &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof message;
}

// What the guard remembers: a set in memory that was mapped before the fork.
struct group_set {
  pid_t* groups;
  std::size_t room, count = 0;

  void add(pid_t group) noexcept {
    if (count < room && std::find(groups, groups + count, group) == groups + count)
      groups[count++] = group;
  }
  void remove(pid_t group) noexcept {
    auto found = std::find(groups, groups + count, group);
    if (found != groups + count)
      *found = groups[--count];
  }
};

// Neither the terminal nor a service manager may end it before the node has ended.
void detach(int ear) noexcept {
  ::setsid();
  for (auto x : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM})
    ::signal(x, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_NAME, "troupe-guard");
  if (ear > 0)
    ::close_range(0, static_cast<unsigned>(ear) - 1, 0);
  ::close_range(static_cast<unsigned>(ear) + 1, UINT_MAX, 0);
  [[maybe_unused]] auto r = ::chdir("/");
}

// The life of the guard: a positive number adds a group, a negative one removes it, the end of the
// stream is the end of the node. Async-signal-safe calls only: it was forked from many threads.
[[noreturn]] void watch(int ear, group_set groups, const process_mark& mark) noexcept {
  detach(ear);
  while (true) {
    pid_t message;
    auto n = ::recv(ear, &message, sizeof message, 0);
    if (n == sizeof message && message > 1)
      groups.add(message);
    else if (n == sizeof message && message < -1)
      groups.remove(-message);
    else if (n == 0 || (n < 0 && errno != EINTR))
      break;
  }
  for (std::size_t i = 0; i < groups.count; ++i)
    ::kill(-groups.groups[i], SIGKILL);
  mark.kill_all();
  ::_exit(0);
}

} // namespace

guard::guard(std::size_t groups_max, process_mark mark)
    : groups_max_(groups_max), mark_(std::move(mark)) {
  restart();
}

guard::~guard() { end(0); }

void guard::enter(int door, pid_t group) noexcept {
  if (door >= 0)
    tell(door, group);
}

bool guard::leave(int door, pid_t group) noexcept { return door >= 0 && tell(door, -group); }

void guard::end(int signal) noexcept {
  if (pid_ > 0 && signal)
    ::kill(pid_, signal);
  if (door_)
    ::shutdown(door_.get(), SHUT_WR); // The end of the stream, whoever else holds the door.
  door_.reset();
  while (pid_ > 0 && ::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR)
    ;
  handle_.reset();
  pid_ = -1;
}

void guard::restart() noexcept {
  end(SIGKILL);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return;
  unique_fd door{ends[0]}, ear{ends[1]};
  auto bytes = groups_max_ * sizeof(pid_t);
  auto memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return;
  sigset_t all, before;
  sigfillset(&all); // Until it ignores them: no handler of this process may run in it.
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_ = ::fork();
  if (pid_ == 0)
    watch(ear.get(), {static_cast<pid_t*>(memory), groups_max_}, mark_);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::munmap(memory, bytes);
  if (pid_ < 0)
    return;
  handle_.reset(::pidfd_open(pid_, 0));
  door_ = std::move(door);
}

} // namespace troupe::actors
