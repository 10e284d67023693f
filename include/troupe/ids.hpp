#pragma once

#include "troupe/export.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Isolates keys, rows and names.
enum class namespace_id : std::uint32_t {};

/// 0…4095, the hash of namespace, queue and partition; a table maps slots to shards.
enum class slot : std::uint16_t {};

inline constexpr std::uint16_t slots = 4096;

/// A UUIDv7 (RFC 9562) of 16 bytes with the slot in `rand_a`. Grows within a slot, never reused.
struct job_id {
  std::uint64_t high = 0; ///< 48 bits of Unix time in ms, version 7, 12 bits of slot.
  std::uint64_t low = 0;  ///< Variant 0b10, a counter of 22 bits, 40 random bits.

  auto operator<=>(const job_id&) const = default;
};

/// Tells where a job lives, without a look-up.
constexpr slot slot_of(job_id job) noexcept { return slot(job.high & 0xfff); }

/// The SHA-256 of a graph's canonical JSON (RFC 8785).
struct graph_id {
  std::array<std::uint8_t, 32> sha256{};

  auto operator<=>(const graph_id&) const = default;
};

/// The canonical text: lower-case hexadecimal, a UUID with dashes, a graph with 64 digits.
TROUPE_EXPORT std::string to_string(job_id id);
TROUPE_EXPORT std::string to_string(const graph_id& id);

/// Reads the canonical text, in either case of letters. Nothing for any other text.
TROUPE_EXPORT std::optional<job_id> parse_job_id(std::string_view text);
TROUPE_EXPORT std::optional<graph_id> parse_graph_id(std::string_view text);

} // namespace troupe
