#include "actors/kinds/poll_until.hpp"

#include <algorithm>
#include <csignal>

namespace troupe::actors {

namespace {

constexpr std::chrono::milliseconds sleep_max = std::chrono::hours{1}; // poll takes an int of ms.

} // namespace

void poll_until(std::vector<pollfd>& waits,
                std::optional<std::chrono::steady_clock::time_point> deadline) {
  int ms = -1;
  if (deadline) {
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
    ms = static_cast<int>(std::clamp(left, std::chrono::milliseconds{0}, sleep_max).count());
  }
  ::poll(waits.data(), waits.size(), ms);
}

void block_all_signals() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

} // namespace troupe::actors
