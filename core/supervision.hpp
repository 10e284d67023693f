#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>

namespace troupe::core {

/// How often a child may fail before its supervisor gives up: `intensity` restarts within
/// `period`, each after a back-off that doubles from `base` to `cap`. The terms are OTP's.
struct restart_policy {
  std::uint32_t intensity = 5;
  std::chrono::milliseconds period{10'000};
  std::chrono::milliseconds base{10};
  std::chrono::milliseconds cap{1'000};
};

/// Counts the restarts of one child and decides over the next. Pure: time is passed in.
class restart_window {
public:
  using time = std::chrono::milliseconds; ///< Since any fixed moment, never going back.

  struct verdict {
    bool escalate = false;             ///< The supervisor itself fails.
    std::chrono::milliseconds delay{}; ///< Else: restart after this.
  };

  /// The child has failed at `now`.
  verdict failed(const restart_policy& policy, time now) {
    while (!restarts_.empty() && now - restarts_.front() >= policy.period)
      restarts_.pop_front();
    if (restarts_.size() >= policy.intensity)
      return {true, {}};
    auto delay = policy.base;
    for (std::size_t i = 0; i < restarts_.size() && delay < policy.cap; ++i)
      delay *= 2;
    restarts_.push_back(now);
    return {false, std::min(delay, policy.cap)};
  }

private:
  std::deque<time> restarts_; ///< At most `intensity` of them.
};

} // namespace troupe::core
