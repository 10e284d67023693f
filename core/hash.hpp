#pragma once

#include "troupe/value.hpp"

#include <cstddef>
#include <functional>

namespace troupe::core {

/// Mixes the hashes of parts, in their order, into one. Only for look-up in memory: it differs
/// between builds and stands in no record.
class hasher {
public:
  template <class... Parts>
  hasher& operator()(const Parts&... parts) {
    (mix(std::hash<Parts>{}(parts)), ...);
    return *this;
  }
  hasher& operator()(const value& x);

  std::size_t result() const noexcept { return state_; }

private:
  void mix(std::size_t x) noexcept {
    state_ = (state_ ^ x) * 0x9e37'79b9'7f4a'7c15u;
    state_ ^= state_ >> 32;
  }

  std::size_t state_ = 0x243f'6a88'85a3'08d3u;
};

} // namespace troupe::core
