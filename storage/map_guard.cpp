#include "storage/map_guard.hpp"

#include "troupe/limits.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace troupe::storage {

/// A range that is guarded. All of it is read by a signal handler.
struct map_slot {
  std::atomic<std::uintptr_t> begin{0}, end{0};
  std::atomic<bool> used{false};
  std::array<char, 512> name{};
};

namespace {

constexpr int room_wait_ms = 100; ///< For each piece that standard error gets.
constexpr std::array handled{SIGBUS, SIGSEGV, SIGABRT};

std::array<map_slot, limits::mapped_files_max> slots;
std::atomic<const char*> head = "troupe: ";
std::array<struct sigaction, handled.size()> before;
thread_local volatile std::sig_atomic_t depth = 0;

static_assert(std::atomic<std::uintptr_t>::is_always_lock_free, "a signal handler reads them");

/// Nobody has to read it: then the process ends without these lines.
bool may_say() noexcept {
  pollfd error{STDERR_FILENO, POLLOUT, 0};
  return ::poll(&error, 1, room_wait_ms) == 1;
}

void say(const char* text) noexcept {
  for (auto left = std::strlen(text); left > 0 && may_say();) {
    auto wrote = ::write(STDERR_FILENO, text, left);
    if (wrote <= 0)
      return;
    text += wrote;
    left -= static_cast<std::size_t>(wrote);
  }
}

[[noreturn]] void end(const char* file, const char* why) noexcept {
  say(head.load());
  say(file);
  say(" ");
  say(why);
  say("\ntry: start again, and if it repeats run `troupe verify`\n");
  ::_exit(damaged_map_exit_code);
}

const map_slot* slot_of(const void* address) noexcept {
  auto at = reinterpret_cast<std::uintptr_t>(address);
  for (auto& x : slots)
    if (x.begin.load() <= at && at < x.end.load())
      return &x;
  return nullptr;
}

/// Does what would have been done without the guard.
void pass_on(int signal, siginfo_t* info, void* context) {
  auto at = static_cast<std::size_t>(std::ranges::find(handled, signal) - handled.begin());
  auto& old = before[at];
  if (old.sa_flags & SA_SIGINFO)
    return old.sa_sigaction(signal, info, context);
  if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN)
    return old.sa_handler(signal);
  ::sigaction(signal, &old, nullptr);
  if (info->si_code <= 0) // Someone sent it; the cause of any other comes again.
    ::raise(signal);
}

void on_signal(int signal, siginfo_t* info, void* context) {
  auto found = signal == SIGABRT || info->si_code <= 0 ? nullptr : slot_of(info->si_addr);
  if (found)
    end(found->name.data(),
        signal == SIGBUS
            ? "was cut off under the running process, is damaged, or its disk cannot be read"
            : "is damaged: its pages lead nowhere");
  if (depth > 0 && (signal == SIGABRT || info->si_code > 0))
    end_for_damaged_map("is damaged: its pages lead nowhere");
  pass_on(signal, info, context);
}

map_slot* free_slot() {
  for (auto& x : slots)
    if (bool used = false; x.used.compare_exchange_strong(used, true))
      return &x;
  return nullptr;
}

} // namespace

void catch_map_signals() {
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < handled.size(); ++i)
    ::sigaction(handled[i], &action, &before[i]);
}

map_guard::map_guard(const void* begin, std::size_t bytes, const std::string& name) {
  static std::once_flag once;
  std::call_once(once, catch_map_signals);
  slot_ = free_slot();
  if (!slot_)
    return;
  auto size = std::min(name.size(), slot_->name.size() - 1);
  std::memcpy(slot_->name.data(), name.data(), size);
  slot_->name[size] = '\0';
  slot_->end = reinterpret_cast<std::uintptr_t>(begin) + bytes;
  slot_->begin = reinterpret_cast<std::uintptr_t>(begin);
}

map_guard::map_guard(map_guard&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}

map_guard& map_guard::operator=(map_guard&& other) noexcept {
  std::swap(slot_, other.slot_);
  return *this;
}

map_guard::~map_guard() {
  if (!slot_)
    return;
  slot_->end = 0; // First: the range is empty whatever its begin.
  slot_->begin = 0;
  slot_->used = false;
}

void begin_map_line_with(const char* text) noexcept { head = text; }

inside_map::inside_map() noexcept { depth = depth + 1; }
inside_map::~inside_map() { depth = depth - 1; }

void end_for_damaged_map(const char* why) noexcept {
  const char* file = "the snapshot";
  auto named = std::ranges::count_if(slots, [](auto& x) { return x.end.load() != 0; });
  for (auto& x : slots)
    if (named == 1 && x.end.load() != 0)
      file = x.name.data();
  end(file, why);
}

} // namespace troupe::storage
