#include "storage/node_identity.hpp"

#include <random>

namespace troupe::storage {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

constexpr bool dash_at(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

std::optional<std::uint8_t> digit_value(char c) {
  if (c >= 'A' && c <= 'F')
    c = static_cast<char>(c - 'A' + 'a');
  auto at = digits.find(c);
  if (at == digits.npos)
    return std::nullopt;
  return static_cast<std::uint8_t>(at);
}

} // namespace

std::string to_string(const node_id& id) {
  std::string text;
  for (auto byte : id.bytes) {
    if (dash_at(text.size()))
      text += '-';
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::optional<node_id> parse_node_id(std::string_view text) {
  if (text.size() != 36)
    return std::nullopt;
  node_id id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (dash_at(i)) {
      if (text[i] != '-')
        return std::nullopt;
      continue;
    }
    auto value = digit_value(text[i]);
    if (!value)
      return std::nullopt;
    auto& byte = id.bytes[at++ / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | *value);
  }
  return id;
}

node_id random_node_id() {
  std::random_device source;
  node_id id;
  for (auto& byte : id.bytes)
    byte = static_cast<std::uint8_t>(source());
  id.bytes[6] = (id.bytes[6] & 0x0f) | 0x40; // Version 4,
  id.bytes[8] = (id.bytes[8] & 0x3f) | 0x80; // variant 0b10.
  return id;
}

} // namespace troupe::storage
