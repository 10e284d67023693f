#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::storage {

/// Names one data directory and the node that owns it: a random UUID (version 4, RFC 9562).
struct node_id {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const node_id&) const = default;
};

/// A node and the life of its store: a restored backup starts a new incarnation.
struct node_identity {
  node_id node;
  std::uint64_t incarnation = 1;

  auto operator<=>(const node_identity&) const = default;
};

/// The canonical text: 32 lower-case hexadecimal digits with dashes.
std::string to_string(const node_id& id);

/// Reads the canonical text, in either case of letters. Nothing for any other text.
std::optional<node_id> parse_node_id(std::string_view text);

/// A new id from the system's random source.
node_id random_node_id();

} // namespace troupe::storage
