#include "node/interrupts.hpp"

#include <atomic>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <tuple>
#include <unistd.h>
#include <utility>

namespace troupe::node {

namespace {

constexpr int room_wait_ms = 100; ///< For the last words; whoever does not read holds up no end.

std::atomic<int> came{0};
std::atomic<bool> hung_up{false};
std::atomic<const char*> last_words{nullptr};
static_assert(std::atomic<bool>::is_always_lock_free);
static_assert(std::atomic<int>::is_always_lock_free);
static_assert(std::atomic<const char*>::is_always_lock_free);

bool may_speak() {
  pollfd error{STDERR_FILENO, POLLOUT, 0};
  return ::poll(&error, 1, room_wait_ms) == 1;
}

void on_signal(int signal) {
  if (came.exchange(signal) == 0)
    return;
  if (auto text = last_words.load(); text && may_speak())
    std::ignore = ::write(STDERR_FILENO, text, std::strlen(text));
  ::_exit(128 + signal);
}

/// A closed terminal may say so several times, itself and through the shell: none ends at once.
void on_lost_terminal(int signal) {
  int none = 0;
  came.compare_exchange_strong(none, signal);
}

void on_hangup(int) { hung_up = true; }

/// Whether the program was started so that a closed terminal is nothing to it: by `nohup`.
bool outlives_terminal() {
  struct sigaction how {};
  ::sigaction(SIGHUP, nullptr, &how);
  return how.sa_handler == SIG_IGN;
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction how {};
  how.sa_handler = handler;
  how.sa_flags = SA_RESTART;
  ::sigaction(signal, &how, nullptr);
}

} // namespace

interrupts::interrupts() {
  came = 0;
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
  hears_hangups_ = !outlives_terminal();
  if (hears_hangups_)
    handle(SIGHUP, on_lost_terminal);
  handle(SIGPIPE, SIG_IGN);
  handle(SIGXFSZ, SIG_IGN);
}

interrupts::~interrupts() {
  handle(SIGINT, SIG_DFL);
  handle(SIGTERM, SIG_DFL);
  if (hears_hangups_)
    handle(SIGHUP, SIG_DFL);
  handle(SIGPIPE, SIG_DFL);
  handle(SIGXFSZ, SIG_DFL);
  last_words = nullptr;
}

void interrupts::say_if_ended_at_once(std::string text) {
  last_words = nullptr;
  last_words_ = std::move(text);
  last_words = last_words_.c_str();
}

int interrupts::caught() const noexcept { return came; }

fault fault_of(int signal) noexcept {
  return signal == SIGINT ? fault::interrupted : fault::terminated;
}

hangups::hangups() {
  hung_up = false;
  handle(SIGHUP, on_hangup);
}

hangups::~hangups() { handle(SIGHUP, SIG_DFL); }

bool hangups::take() noexcept { return hung_up.exchange(false); }

} // namespace troupe::node
