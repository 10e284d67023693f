#include "troupe/ids.hpp"

namespace troupe {

namespace {

constexpr char digits[] = "0123456789abcdef";

int digit(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

} // namespace

std::string to_string(job_id id) {
  std::string text;
  text.reserve(36);
  for (int nibble = 0; nibble < 32; ++nibble) {
    if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20)
      text += '-';
    auto word = nibble < 16 ? id.high : id.low;
    text += digits[word >> (60 - 4 * (nibble % 16)) & 0xf];
  }
  return text;
}

std::string to_string(const graph_id& id) {
  std::string text;
  text.reserve(64);
  for (auto byte : id.sha256) {
    text += digits[byte >> 4];
    text += digits[byte & 0xf];
  }
  return text;
}

std::optional<job_id> parse_job_id(std::string_view text) {
  if (text.size() != 36)
    return {};
  job_id id;
  int nibble = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      if (text[at] != '-')
        return {};
      continue;
    }
    auto x = digit(text[at]);
    if (x < 0)
      return {};
    auto& word = nibble++ < 16 ? id.high : id.low;
    word = word << 4 | static_cast<std::uint64_t>(x);
  }
  return id;
}

std::optional<graph_id> parse_graph_id(std::string_view text) {
  graph_id id;
  if (text.size() != 2 * id.sha256.size())
    return {};
  for (std::size_t i = 0; i < id.sha256.size(); ++i) {
    auto high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return {};
    id.sha256[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return id;
}

} // namespace troupe
