#pragma once

#include "storage/node_identity.hpp"
#include "storage/tables.hpp"

#include <array>
#include <string_view>

/// The rows that a store keeps for itself, in no table.
namespace troupe::storage {

inline constexpr std::string_view marker_key = "marker";
inline constexpr std::string_view totals_key = "totals";
inline constexpr std::uint32_t snapshot_format = 1;

/// Whose store it is.
struct own_marker {
  std::uint32_t format = snapshot_format;
  node_identity owner;
};

core::bytes encode(const own_marker& x);
/// Nothing if it is no marker. Of a newer format only that is read.
std::optional<own_marker> decode_marker(core::byte_view data);

/// What all tables hold, and which transaction last changed each: written by every commit.
struct own_totals {
  std::uint64_t transaction = 0;
  std::array<table_totals, tables> of{};
  std::array<std::uint64_t, tables> changed{};

  table_totals& operator[](table x) { return of[static_cast<std::size_t>(x)]; }
  const table_totals& operator[](table x) const { return of[static_cast<std::size_t>(x)]; }
};

core::bytes encode(const own_totals& x);
/// Nothing if they are none. An older version's lack the newest tables.
std::optional<own_totals> decode_totals(core::byte_view data);

inline core::byte_view bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

} // namespace troupe::storage
