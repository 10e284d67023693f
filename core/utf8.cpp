#include "core/utf8.hpp"

#include <algorithm>
#include <cstdint>

namespace troupe::core {

namespace {

bool is_continuation(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// What a sequence of two or more bytes stands for, and the least that its length is for.
struct wide {
  std::size_t length;
  std::uint32_t begin, least;
};

wide wide_of(unsigned char lead) noexcept {
  if ((lead & 0xe0) == 0xc0)
    return {2, lead & 0x1fu, 0x80};
  if ((lead & 0xf0) == 0xe0)
    return {3, lead & 0x0fu, 0x800};
  if ((lead & 0xf8) == 0xf0)
    return {4, lead & 0x07u, 0x10000};
  return {0, 0, 0};
}

// How long the character is that this byte leads, as far as the byte can tell.
std::size_t announced(unsigned char c) noexcept {
  return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

} // namespace

std::size_t utf8_sequence(std::string_view text) noexcept {
  if (text.empty())
    return 0;
  auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80)
    return 1;
  auto w = wide_of(lead);
  if (w.length == 0 || text.size() < w.length)
    return 0;
  auto code = w.begin;
  for (auto c : text.substr(1, w.length - 1)) {
    if (!is_continuation(c))
      return 0;
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3fu);
  }
  auto surrogate = code >= 0xd800 && code <= 0xdfff;
  return code >= w.least && code <= 0x10ffff && !surrogate ? w.length : 0;
}

std::size_t find_bad_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    auto n = static_cast<signed char>(text[at]) >= 0 ? 1 : utf8_sequence(text.substr(at));
    if (n == 0)
      return at;
    at += n;
  }
  return std::string_view::npos;
}

std::string replace_bad_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto good = std::min(find_bad_utf8(text), text.size());
    out += text.substr(0, good);
    text.remove_prefix(good);
    if (!text.empty()) {
      out += "\xef\xbf\xbd";
      text.remove_prefix(1);
    }
  }
  return out;
}

std::size_t unfinished_utf8(std::string_view text) noexcept {
  for (std::size_t n = 1; n <= 3 && n <= text.size(); ++n) {
    auto lead = text[text.size() - n];
    if (!is_continuation(lead))
      return announced(static_cast<unsigned char>(lead)) > n ? n : 0;
  }
  return 0;
}

std::size_t whole_characters(std::string_view text, std::size_t limit) noexcept {
  if (limit >= text.size())
    return text.size();
  while (limit > 0 && is_continuation(text[limit]))
    --limit;
  return limit;
}

} // namespace troupe::core
