#include "actors/kinds/utf8.hpp"

#include "graph_json/utf8.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

// How long the character is that this byte leads, as far as the byte can tell.
std::size_t announced(unsigned char c) noexcept {
  return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

bool continues(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

} // namespace

std::size_t find_bad_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    auto n =
        static_cast<signed char>(text[at]) >= 0 ? 1 : graph_json::utf8_sequence(text.substr(at));
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
    if (!continues(lead))
      return announced(static_cast<unsigned char>(lead)) > n ? n : 0;
  }
  return 0;
}

} // namespace troupe::actors
