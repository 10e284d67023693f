#pragma once

#include "core/payload.hpp"
#include "core/records.hpp"

#include <bit>
#include <limits>
#include <random>

namespace troupe::tests {

/// Makes data of every shape from one seed.
class random_values {
public:
  explicit random_values(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t bits() { return engine_(); }
  std::uint64_t below(std::uint64_t end) { return engine_() % end; }
  bool coin() { return below(2) == 0; }

  /// A small or large number, and each size between as often.
  std::uint64_t sized() { return bits() >> below(64); }

  std::string text(std::size_t longest = 12) {
    std::string x(below(longest + 1), '\0');
    for (auto& c : x)
      c = static_cast<char>(bits());
    return x;
  }

  /// Any double but a NaN, which differs from itself.
  double number() {
    using limits = std::numeric_limits<double>;
    constexpr double edges[]{
        0.0, -0.0, limits::infinity(), -limits::infinity(), limits::denorm_min(), limits::max()};
    if (coin())
      return edges[below(std::size(edges))];
    auto x = std::bit_cast<double>(bits());
    return x == x ? x : 1.5;
  }

  value any_value(int deepest = 4) {
    switch (below(deepest > 0 ? 7 : 5)) {
    case 0: return {};
    case 1: return coin();
    case 2: return static_cast<std::int64_t>(sized()) * (coin() ? 1 : -1);
    case 3: return number();
    case 4: return text();
    case 5: return any_list(deepest);
    default: return any_object(deepest);
    }
  }

  core::payload any_payload() {
    if (below(4) > 0)
      return core::payload{any_value()};
    core::blob_ref blob{{}, sized()};
    for (auto& byte : blob.sha256)
      byte = static_cast<std::uint8_t>(bits());
    return core::payload{blob};
  }

private:
  value any_list(int deepest) {
    value::list items;
    for (auto left = below(4); left > 0; --left)
      items.push_back(any_value(deepest - 1));
    return items;
  }

  value any_object(int deepest) {
    value::object members;
    for (auto left = below(4); left > 0; --left)
      members.emplace(text(), any_value(deepest - 1));
    return members;
  }

  std::mt19937_64 engine_;
};

} // namespace troupe::tests
