#pragma once

#include "troupe/ids.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>

namespace troupe::core {

enum class shard_id : std::uint16_t {};

constexpr std::uint16_t index_of(shard_id id) noexcept { return static_cast<std::uint16_t>(id); }

/// The shard that a slot belongs to, while `shards` of them share all slots evenly.
constexpr shard_id shard_of(slot s, std::uint16_t shards) noexcept {
  return shard_id(static_cast<std::uint32_t>(s) * shards / slots);
}

/// Counts the owners of a shard and fences writers; 0 is nobody.
enum class epoch : std::uint64_t {};

/// A batch of one shard's journal, counted from 1; 0 is before the first.
using position = std::uint64_t;

/// max(previous, wall clock): never goes back within a shard.
using shard_time = std::chrono::sys_time<std::chrono::milliseconds>;

using duration = std::chrono::milliseconds;

/// Passed in wherever chance is needed: seeded in tests, the system's source in a node.
using random_bits = std::function<std::uint64_t()>;

/// The right of one attempt to report its result: 128 random bits.
struct token {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const token&) const = default;
};

} // namespace troupe::core
