#include "core/secrets.hpp"

#include <charconv>

namespace troupe::core {

namespace {

constexpr std::string_view key_begin = "trp_";
constexpr std::size_t key_id = 8; // Digits of a key's id; `_` and the secret follow.

/// A letter of a text, and how many bytes it takes there.
struct letter {
  char what = 0;
  std::size_t bytes = 0; ///< 0: the text is over.
};

/// The letter at `at`: itself, or what `%XX` stands for.
letter letter_at(std::string_view text, std::size_t at) {
  if (at >= text.size())
    return {};
  unsigned char coded = 0;
  auto digits = text.substr(at + 1, 2);
  if (text[at] != '%' || digits.size() < 2)
    return {text[at], 1};
  auto end = digits.data() + digits.size();
  auto [stop, wrong] = std::from_chars(digits.data(), end, coded, 16);
  return wrong == std::errc{} && stop == end ? letter{static_cast<char>(coded), 3}
                                             : letter{text[at], 1};
}

bool is_key_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
         || c == '_';
}

/// A run of letters of which keys consist, decoded, that begins as keys do; else nothing. `at` is
/// where it begins, then where it ends.
std::string take_key(std::string_view text, std::size_t& at) {
  std::string key;
  auto end = at;
  for (auto c = letter_at(text, end); c.bytes > 0 && is_key_letter(c.what);
       c = letter_at(text, end)) {
    if (key.size() < key_begin.size() && c.what != key_begin[key.size()])
      return {};
    key += c.what;
    end += c.bytes;
  }
  if (key.size() < key_begin.size())
    return {};
  at = end;
  return key;
}

} // namespace

std::string without_secrets(std::string_view text) {
  constexpr auto shown = key_begin.size() + key_id + 1;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    auto begin = at;
    auto key = text[at] == key_begin.front() || text[at] == '%' ? take_key(text, at) : "";
    if (key.empty())
      out += text[at++];
    else if (key.size() <= shown)
      out += text.substr(begin, at - begin);
    else
      out += key.substr(0, shown) + "…";
  }
  return out;
}

} // namespace troupe::core
