#include "core/names.hpp"

#include "troupe/limits.hpp"

#include <algorithm>
#include <array>

namespace troupe::core {

namespace {

using row = std::array<std::size_t, limits::name_bytes_max + 1>;

/// The slips (Damerau–Levenshtein, no letter touched twice) from `a` to `b`; both fit into a row.
std::size_t slips(std::string_view a, std::string_view b) noexcept {
  row before_last{}, last{}, now{};
  for (std::size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = now;
  }
  return last[b.size()];
}

} // namespace

bool is_name(std::string_view text) noexcept {
  auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '.' || c == ':' || c == '-';
  };
  return !text.empty() && text.size() <= limits::name_bytes_max
         && std::all_of(text.begin(), text.end(), fits);
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
  std::string_view best;
  auto least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (auto candidate : known.first(std::min(known.size(), limits::suggestions_max))) {
    auto shorter = std::min(word.size(), candidate.size());
    auto longer = std::max(word.size(), candidate.size());
    if (longer > limits::name_bytes_max || longer - shorter >= least || shorter == 0)
      continue;
    if (auto distance = slips(word, candidate); distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  auto found = nearest(word, known);
  return found.empty() ? "" : "; did you mean " + quoted(found) + "?";
}

std::string listed(std::span<const std::string_view> words) {
  std::string text;
  for (auto word : words)
    text += (text.empty() ? "" : ", ") + quoted(word);
  return text;
}

std::string quoted(std::string_view text) {
  auto length = std::min(text.size(), limits::name_bytes_max);
  while (length > 0 && length < text.size() && (text[length] & 0xc0) == 0x80)
    --length; // Not in the middle of a UTF-8 character.
  std::string shown = "`" + std::string{text.substr(0, length)};
  return shown + (length < text.size() ? "…`" : "`");
}

} // namespace troupe::core
