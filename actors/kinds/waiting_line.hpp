#pragma once

#include "core/types.hpp"

#include <cassert>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace troupe::actors {

/// What waits in order and can be taken out by the token of its attempt. Not thread-safe.
template <class T>
class waiting_line {
public:
  bool empty() const noexcept { return line_.empty(); }

  /// Adds `x` at the end.
  void push(core::token proof, T x) {
    line_.emplace(next_, std::pair{proof, std::move(x)});
    places_.emplace(proof, next_++);
  }

  /// Takes the first. Only if not `empty`.
  T pop() {
    assert(!empty());
    auto [place, x] = std::move(*line_.begin());
    line_.erase(line_.begin());
    auto at = places_.find(x.first);
    while (at->second != place)
      ++at;
    places_.erase(at);
    return std::move(x.second);
  }

  /// Makes what `pop` gave the first again.
  void put_back(core::token proof, T x) {
    auto place = line_.empty() ? next_++ : line_.begin()->first - 1;
    line_.emplace(place, std::pair{proof, std::move(x)});
    places_.emplace(proof, place);
  }

  /// Takes all of this token.
  std::vector<T> remove(core::token proof) {
    std::vector<T> all;
    auto [from, to] = places_.equal_range(proof);
    for (auto at = from; at != to; ++at)
      all.push_back(std::move(line_.extract(at->second).mapped().second));
    places_.erase(from, to);
    return all;
  }

  /// Takes all.
  std::vector<T> clear() {
    std::vector<T> all;
    places_.clear();
    for (auto& [place, x] : std::exchange(line_, {}))
      all.push_back(std::move(x.second));
    return all;
  }

private:
  std::map<std::int64_t, std::pair<core::token, T>> line_;
  std::multimap<core::token, std::int64_t> places_;
  std::int64_t next_ = 0;
};

} // namespace troupe::actors
