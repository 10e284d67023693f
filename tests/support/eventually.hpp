#pragma once

#include <chrono>
#include <poll.h>

namespace troupe::tests {

inline constexpr std::chrono::seconds patience{60}; ///< Then a test has failed, not waited.

/// Looks until `fact` holds. False: it did not within `patience`.
template <class Fact>
bool eventually(Fact fact) {
  auto end = std::chrono::steady_clock::now() + patience;
  while (!fact()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

} // namespace troupe::tests
