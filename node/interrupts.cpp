#include "node/interrupts.hpp"

#include <atomic>
#include <csignal>
#include <unistd.h>

namespace troupe::node {

namespace {

std::atomic<int> came{0};
std::atomic<bool> hung_up{false};
static_assert(std::atomic<bool>::is_always_lock_free);
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int signal) {
  if (came.exchange(signal) != 0)
    ::_exit(128 + signal);
}

void on_hangup(int) { hung_up = true; }

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
  handle(SIGPIPE, SIG_IGN);
  handle(SIGXFSZ, SIG_IGN);
}

interrupts::~interrupts() {
  handle(SIGINT, SIG_DFL);
  handle(SIGTERM, SIG_DFL);
  handle(SIGPIPE, SIG_DFL);
  handle(SIGXFSZ, SIG_DFL);
}

int interrupts::caught() const noexcept { return came; }

hangups::hangups() {
  hung_up = false;
  handle(SIGHUP, on_hangup);
}

hangups::~hangups() { handle(SIGHUP, SIG_DFL); }

bool hangups::take() noexcept { return hung_up.exchange(false); }

} // namespace troupe::node
