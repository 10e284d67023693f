#include "actors/kinds/process_spawn.hpp"

#include "actors/kinds/guard.hpp"
#include "actors/kinds/pidfd.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <string_view>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

namespace troupe::actors {

namespace {

enum class stage : int { set_up, enter_directory, execute, watch };

// What the child says through a pipe that exec closes.
struct refusal {
  stage at;
  int error;
};

std::atomic<std::uint64_t> open_files_of_programs{0}; // 0: as this process has it.

// Everything the child needs, made before there is one: it must not allocate.
struct plan {
  std::vector<const char*> paths, argv, environment;
  rlim_t open_files = 0; // 0: as it is.
  const char* directory = nullptr;
  int in = -1, out = -1, err = -1, said = -1, guard = -1;
  pid_t parent = -1;
};

[[noreturn]] void refuse(const plan& p, stage at, int error) noexcept {
  refusal x{at, error};
  [[maybe_unused]] auto n = ::write(p.said, &x, sizeof x);
  ::_exit(127);
}

void limit_open_files(rlim_t soft) noexcept {
  rlimit now{};
  if (soft == 0 || ::getrlimit(RLIMIT_NOFILE, &now) != 0)
    return;
  now.rlim_cur = std::min(soft, now.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &now);
}

void reset_signals() noexcept {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int i = 1; i < NSIG; ++i)
    ::sigaction(i, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Like execvp, over paths that were made before: the most telling error wins.
int execute(const plan& p) noexcept {
  int error = ENOENT;
  for (auto path : p.paths) {
    if (!path)
      break;
    ::execve(path, const_cast<char**>(p.argv.data()), const_cast<char**>(p.environment.data()));
    if (errno != ENOENT && errno != ENOTDIR)
      error = errno;
  }
  return error;
}

// The child, from its first to its last instruction here. It may share the node's memory (vfork):
// async-signal-safe calls only, and nothing is written but its own stack.
[[noreturn]] void become(const plan& p) noexcept {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != p.parent) // It died before that line.
    ::_exit(127);
  guard::enter(p.guard, ::getpid());
  if (::dup2(p.in, 0) < 0 || ::dup2(p.out, 1) < 0 || ::dup2(p.err, 2) < 0)
    refuse(p, stage::set_up, errno);
  ::close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC);
  if (p.directory && ::chdir(p.directory) < 0)
    refuse(p, stage::enter_directory, errno);
  reset_signals();
  limit_open_files(p.open_files); // After all descriptors are where they belong.
  refuse(p, stage::execute, execute(p));
}

struct pipe_ends {
  unique_fd read, write;
};

// Above the standard three, which the child overwrites.
unique_fd above_standard(int fd) {
  unique_fd x{fd};
  return fd > 2 ? std::move(x) : unique_fd{::fcntl(fd, F_DUPFD_CLOEXEC, 3)};
}

std::optional<pipe_ends> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0)
    return {};
  pipe_ends x{above_standard(ends[0]), above_standard(ends[1])};
  if (!x.read || !x.write)
    return {};
  return x;
}

void do_not_block(const unique_fd& fd) { ::fcntl(fd.get(), F_SETFL, O_NONBLOCK); }

std::string_view path_of(const std::vector<std::string>& environment) {
  for (std::string_view x : environment)
    if (x.starts_with("PATH="))
      return x.substr(5);
  return "/usr/local/bin:/usr/bin:/bin";
}

std::vector<std::string> paths_of(const spawn_request& request) {
  auto& program = request.argv.front();
  if (program.empty() || program.find('/') != std::string::npos)
    return {program};
  std::vector<std::string> all;
  auto path = path_of(request.environment);
  while (true) {
    auto end = std::min(path.find(':'), path.size());
    auto folder = end ? std::string{path.substr(0, end)} : std::string{"."};
    all.push_back(folder + '/' + program);
    if (end == path.size())
      return all;
    path.remove_prefix(end + 1);
  }
}

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> all;
  all.reserve(texts.size() + 1);
  for (auto& x : texts)
    all.push_back(x.c_str());
  all.push_back(nullptr);
  return all;
}

// All signals are blocked meanwhile, so that no handler of the node runs in the child.
__attribute__((noinline)) pid_t fork_into(const plan& p) noexcept {
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  auto pid = ::vfork();
  if (pid == 0)
    become(p);
  auto error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

std::string hint(stage at, int error) {
  if (at == stage::enter_directory)
    return "check `cwd`";
  switch (error) {
  case ENOENT: return "check the name, PATH, and the interpreter in its first line";
  case EACCES: return "check that it is a file and may be executed (chmod +x)";
  case ENOEXEC: return "a script needs a first line such as #!/bin/sh";
  case E2BIG: return "pass less in `argv` and `env`, and more on stdin";
  case EMFILE:
  case ENFILE: return "raise the limit of open files (ulimit -n)";
  case EAGAIN: return "raise the limit of processes (ulimit -u)";
  default: return "the system refused it";
  }
}

// What may be over soon.
bool is_shortage(stage at, int error) {
  return (at == stage::set_up || at == stage::execute)
         && (error == EMFILE || error == ENFILE || error == EAGAIN || error == ENOMEM);
}

troupe::error refused(const spawn_request& request, stage at, int error) {
  auto what = at == stage::enter_directory
                  ? "cannot enter the directory `" + request.directory + "`"
                  : "cannot run `" + request.argv.front() + "`";
  return {is_shortage(at, error) ? ec::overloaded : ec::io_failed,
          what + ": " + std::strerror(error) + "; " + hint(at, error)};
}

// The child has executed its program or given up: both close the pipe.
std::optional<refusal> answer(int fd) {
  refusal x;
  ssize_t n;
  do
    n = ::read(fd, &x, sizeof x);
  while (n < 0 && errno == EINTR);
  return n == sizeof x ? std::optional{x} : std::nullopt;
}

} // namespace

void limit_open_files_of_programs(std::uint64_t soft) noexcept { open_files_of_programs = soft; }

result<child_process> spawn(const spawn_request& request) {
  auto in = make_pipe(), out = make_pipe(), said = make_pipe();
  auto err = request.with_stderr ? make_pipe() : std::optional<pipe_ends>{pipe_ends{}};
  if (in && out && said && err && !request.with_stderr)
    err->write = above_standard(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!in || !out || !said || !err || !err->write)
    return refused(request, stage::set_up, errno);

  auto paths = paths_of(request);
  plan p{.paths = pointers(paths),
         .argv = pointers(request.argv),
         .environment = pointers(request.environment),
         .open_files = open_files_of_programs,
         .directory = request.directory.empty() ? nullptr : request.directory.c_str(),
         .in = in->read.get(),
         .out = out->write.get(),
         .err = err->write.get(),
         .said = said->write.get(),
         .guard = request.guard,
         .parent = ::getpid()};
  child_process x;
  x.pid = fork_into(p);
  if (x.pid < 0)
    return refused(request, stage::set_up, errno);
  for (auto fd : {&in->read, &out->write, &err->write, &said->write})
    fd->reset(); // The child's; that makes room for one more.
  x.handle.reset(::pidfd_open(x.pid, 0));
  auto no_handle = x.handle ? 0 : errno;
  auto refusal = answer(said->read.get());
  if (refusal || no_handle) {
    signal_group(x, SIGKILL);
    guard::leave(request.guard, x.pid);
    ::waitpid(x.pid, nullptr, 0);
    return refusal ? refused(request, refusal->at, refusal->error)
                   : refused(request, stage::watch, no_handle); // It has run.
  }
  x.in = std::move(in->write);
  x.out = std::move(out->read);
  x.err = std::move(err->read);
  for (auto fd : {&x.in, &x.out, &x.err})
    if (*fd)
      do_not_block(*fd);
  return x;
}

bool has_ended(const child_process& process) noexcept {
  siginfo_t info{};
  auto error = ::waitid(idtype_t(P_PIDFD), static_cast<id_t>(process.handle.get()), &info,
                        WEXITED | WNOHANG | WNOWAIT);
  return error ? errno == ECHILD : info.si_pid != 0;
}

exit_info reap(const child_process& process) noexcept {
  siginfo_t info{};
  int error;
  do
    error = ::waitid(idtype_t(P_PIDFD), static_cast<id_t>(process.handle.get()), &info, WEXITED);
  while (error && errno == EINTR);
  if (error)
    return {.lost = true};
  if (info.si_code == CLD_EXITED)
    return {.code = info.si_status};
  return {.signal = info.si_status};
}

void signal_group(const child_process& process, int signal) noexcept {
  if (process.handle)
    ::pidfd_send_signal(process.handle.get(), signal, nullptr, 0);
  ::kill(-process.pid, signal);
}

std::string to_string(const exit_info& end) {
  if (end.lost)
    return "an unknown exit code: this process ignores SIGCHLD or waits for any child";
  if (!end.signal)
    return "exit code " + std::to_string(end.code);
  auto name = ::sigabbrev_np(end.signal);
  return "signal " + (name ? "SIG" + std::string{name} : std::to_string(end.signal));
}

} // namespace troupe::actors
