#include "core/duration.hpp"

#include "troupe/limits.hpp"

#include <cstdint>
#include <span>

namespace troupe::core {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t ms;
};

constexpr unit plain_units[] = {
    {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}};
constexpr unit date_units[] = {{"W", 604'800'000}, {"D", 86'400'000}};
constexpr unit time_units[] = {{"H", 3'600'000}, {"M", 60'000}, {"S", 1000}};

constexpr auto ms_max =
    static_cast<std::uint64_t>(std::chrono::milliseconds{limits::duration_max}.count());

/// An unsigned decimal number: `whole` + `part` / `scale`.
struct decimal {
  std::uint64_t whole = 0, part = 0, scale = 1;
  bool has_point = false;
};

bool starts_with_digit(std::string_view text) {
  return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

std::uint64_t take_digit(std::string_view& text) {
  auto digit = static_cast<std::uint64_t>(text.front() - '0');
  text.remove_prefix(1);
  return digit;
}

/// Takes digits after a point; what lies beyond nine of them only counts as above 0.
void take_part(std::string_view& text, decimal& x) {
  bool rest = false;
  while (starts_with_digit(text)) {
    auto digit = take_digit(text);
    if (x.scale < 1'000'000'000) {
      x.part = x.part * 10 + digit;
      x.scale *= 10;
    } else {
      rest = rest || digit != 0;
    }
  }
  x.part += rest;
}

/// Takes a number off the front of `text`. Nothing if there is none or if it is beyond any limit.
std::optional<decimal> take_decimal(std::string_view& text) {
  if (!starts_with_digit(text))
    return {};
  decimal x;
  while (starts_with_digit(text)) {
    x.whole = x.whole * 10 + take_digit(text);
    if (x.whole > ms_max)
      return {};
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!starts_with_digit(text))
      return {};
    x.has_point = true;
    take_part(text, x);
  }
  return x;
}

/// Adds `x` units to `sum`. False if that is beyond the limit.
bool add(std::uint64_t& sum, const decimal& x, std::uint64_t unit_ms) {
  if (x.whole > ms_max / unit_ms)
    return false;
  sum += x.whole * unit_ms + (x.part * unit_ms + x.scale - 1) / x.scale;
  return sum <= ms_max;
}

std::optional<std::uint64_t> parse_plain(std::string_view text) {
  auto x = take_decimal(text);
  if (!x)
    return {};
  std::uint64_t sum = 0;
  for (auto& unit : plain_units)
    if (text == unit.name)
      return add(sum, *x, unit.ms) ? std::optional{sum} : std::nullopt;
  return {};
}

/// Takes numbers with their units, each unit at most once and in order, until `T` or the end.
bool take_iso(std::string_view& text, std::span<const unit> units, std::uint64_t& sum) {
  do {
    auto x = take_decimal(text);
    while (x && !units.empty() && !text.starts_with(units.front().name))
      units = units.subspan(1);
    if (!x || units.empty() || !add(sum, *x, units.front().ms))
      return false;
    text.remove_prefix(units.front().name.size());
    units = units.subspan(1);
    if (x->has_point && !text.empty())
      return false;
  } while (!text.empty() && text.front() != 'T');
  return true;
}

std::optional<std::uint64_t> parse_iso(std::string_view text) {
  std::uint64_t sum = 0;
  if (!text.starts_with('T') && !take_iso(text, date_units, sum))
    return {};
  if (text.empty())
    return sum;
  text.remove_prefix(1);
  return take_iso(text, time_units, sum) && text.empty() ? std::optional{sum} : std::nullopt;
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  auto ms = text.starts_with('P') ? parse_iso(text.substr(1)) : parse_plain(text);
  if (!ms)
    return {};
  return std::chrono::milliseconds{static_cast<std::int64_t>(*ms)};
}

std::string to_text(std::chrono::milliseconds duration) {
  auto ms = duration.count();
  if (ms == 0)
    return "0s";
  for (auto& unit : plain_units)
    if (auto size = static_cast<std::int64_t>(unit.ms); ms % size == 0)
      return std::to_string(ms / size) + std::string{unit.name};
  return std::to_string(ms) + "ms";
}

} // namespace troupe::core
