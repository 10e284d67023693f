#include "graph_json/json_text.hpp"

#include "core/utf8.hpp"

#include <algorithm>

namespace troupe::graph_json {

namespace {

/// Appends a character that a JSON string cannot hold as it is.
void append_escaped(char c, std::string& out) {
  constexpr char digits[] = "0123456789abcdef";
  switch (c) {
  case '"': out += "\\\""; return;
  case '\\': out += "\\\\"; return;
  case '\b': out += "\\b"; return;
  case '\t': out += "\\t"; return;
  case '\n': out += "\\n"; return;
  case '\f': out += "\\f"; return;
  case '\r': out += "\\r"; return;
  default: break;
  }
  out += "\\u00";
  out += digits[c >> 4 & 0xf];
  out += digits[c & 0xf];
}

bool is_plain(char c) noexcept {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x80 && c != '"'
         && c != '\\';
}

} // namespace

bool utf16_less(std::string_view a, std::string_view b) noexcept {
  auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (x == a.end() || y == b.end())
    return x == a.end() && y != b.end();
  auto left = static_cast<unsigned char>(*x), right = static_cast<unsigned char>(*y);
  // UTF-8 has U+E000…U+FFFF (0xee, 0xef) before what UTF-16 writes with surrogates, 0xd800….
  if (left >= 0xee && right >= 0xee && (left >= 0xf0) != (right >= 0xf0))
    return left >= 0xf0;
  return left < right;
}

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    auto plain = std::find_if_not(text.begin(), text.end(), is_plain) - text.begin();
    out += text.substr(0, static_cast<std::size_t>(plain));
    text.remove_prefix(static_cast<std::size_t>(plain));
    if (text.empty())
      break;
    auto length = core::utf8_sequence(text);
    if (length == 1)
      append_escaped(text[0], out);
    else
      out += length ? text.substr(0, length) : "\xef\xbf\xbd";
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

} // namespace troupe::graph_json
