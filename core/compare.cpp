#include "core/compare.hpp"

#include "troupe/limits.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::core {

namespace {

char folded(char c, bool ignore_case) noexcept {
  return ignore_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool same_text(std::string_view a, std::string_view b, bool ignore_case) noexcept {
  auto equal = [&](char x, char y) { return folded(x, ignore_case) == folded(y, ignore_case); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), equal);
}

/// Exact: 2^53 + 1 is not the same as the double next to it.
std::partial_ordering order(std::int64_t a, double b) noexcept {
  constexpr double beyond = 0x1p63;
  if (std::isnan(b))
    return std::partial_ordering::unordered;
  if (b >= beyond)
    return std::partial_ordering::less;
  if (b < -beyond)
    return std::partial_ordering::greater;
  auto whole = static_cast<std::int64_t>(std::trunc(b));
  if (a != whole)
    return a <=> whole;
  return 0.0 <=> b - std::trunc(b);
}

std::partial_ordering order_numbers(const value& a, const value& b) noexcept {
  auto i = a.integer(), j = b.integer();
  if (i && j)
    return *i <=> *j;
  if (i)
    return order(*i, *b.number());
  if (j)
    return 0 <=> order(*j, *a.number());
  return *a.number() <=> *b.number();
}

bool same(const value& a, const value& b, bool ignore_case, std::size_t depth) noexcept {
  if (a.is_number() && b.is_number())
    return order_numbers(a, b) == 0;
  if (a.kind() != b.kind() || depth > limits::value_depth_max)
    return false;
  if (auto x = a.string())
    return same_text(*x, *b.string(), ignore_case);
  if (auto x = a.items()) {
    auto equal = [&](auto& p, auto& q) { return same(p, q, ignore_case, depth + 1); };
    return std::equal(x->begin(), x->end(), b.items()->begin(), b.items()->end(), equal);
  }
  if (auto x = a.members()) {
    auto equal = [&](auto& p, auto& q) {
      return p.first == q.first && same(p.second, q.second, ignore_case, depth + 1);
    };
    return std::equal(x->begin(), x->end(), b.members()->begin(), b.members()->end(), equal);
  }
  return a == b;
}

} // namespace

bool same(const value& a, const value& b, bool ignore_case) noexcept {
  return same(a, b, ignore_case, 0);
}

std::partial_ordering order(const value& a, const value& b) noexcept {
  if (a.is_number() && b.is_number())
    return order_numbers(a, b);
  if (a.string() && b.string())
    return a.string()->compare(*b.string()) <=> 0;
  return std::partial_ordering::unordered;
}

bool contains(std::string_view whole, std::string_view part, bool ignore_case) {
  auto equal = [&](char x, char y) { return folded(x, ignore_case) == folded(y, ignore_case); };
  std::vector<std::size_t> border(part.size() + 1); // By length of what matched: what still does.
  for (std::size_t i = 1, k = 0; i < part.size(); ++i) {
    while (k > 0 && !equal(part[i], part[k]))
      k = border[k];
    k += equal(part[i], part[k]);
    border[i + 1] = k;
  }
  std::size_t matched = 0;
  for (std::size_t i = 0; i < whole.size() && matched < part.size(); ++i) {
    while (matched > 0 && !equal(whole[i], part[matched]))
      matched = border[matched];
    matched += equal(whole[i], part[matched]);
  }
  return matched == part.size();
}

bool starts_with(std::string_view whole, std::string_view part, bool ignore_case) noexcept {
  return whole.size() >= part.size() && same_text(whole.substr(0, part.size()), part, ignore_case);
}

bool ends_with(std::string_view whole, std::string_view part, bool ignore_case) noexcept {
  return whole.size() >= part.size()
         && same_text(whole.substr(whole.size() - part.size()), part, ignore_case);
}

} // namespace troupe::core
