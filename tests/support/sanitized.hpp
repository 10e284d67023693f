#pragma once

#include <cstdint>

namespace troupe::tests {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true; ///< Everything takes several times as long.
#else
inline constexpr bool sanitized = false;
#endif

/// The case after this one: the release tries each, a sanitizer about every third, unevenly.
constexpr std::uint64_t next_case(std::uint64_t x) {
  return sanitized ? x + 1 + (x * 2'654'435'761 >> 16) % 5 : x + 1;
}

} // namespace troupe::tests
