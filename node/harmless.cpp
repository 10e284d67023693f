#include "node/harmless.hpp"

#include <algorithm>
#include <cstdio>

namespace troupe::node {

namespace {

/// The escape of a character of 1 to 3 bytes in JSON.
std::string escaped(std::string_view character) {
  auto at = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  unsigned code = at(0);
  if (character.size() > 1)
    code = code & (character.size() == 2 ? 0x1f : 0x0f);
  for (std::size_t i = 1; i < character.size(); ++i)
    code = code << 6 | (at(i) & 0x3f);
  char text[16];
  std::snprintf(text, sizeof text, "\\u%04x", code);
  return text;
}

} // namespace

std::size_t steering_bytes(std::string_view text) {
  auto follows = [&](std::string_view begin, unsigned char least, unsigned char most) {
    if (!text.starts_with(begin) || text.size() <= begin.size())
      return false;
    auto last = static_cast<unsigned char>(text[begin.size()]);
    return least <= last && last <= most;
  };
  if (text.starts_with('\x7f'))
    return 1;
  if (follows("\xc2", 0x80, 0x9f))
    return 2;
  return follows("\xe2\x80", 0xaa, 0xae) || follows("\xe2\x81", 0xa6, 0xa9) ? 3 : 0;
}

std::string harmless(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0, n = 0; i < json.size(); i += std::max<std::size_t>(n, 1)) {
    n = steering_bytes(json.substr(i));
    n > 0 ? out += escaped(json.substr(i, n)) : out += json[i];
  }
  return out;
}

} // namespace troupe::node
