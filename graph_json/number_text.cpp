#include "graph_json/number_text.hpp"

#include <charconv>
#include <cmath>
#include <string_view>

namespace troupe::graph_json {

namespace {

/// d1.d2d3… × 10^(point - 1), shortest.
struct shortest {
  std::string digits;
  int point = 0; ///< Where the decimal point stands, counted in digits from the left.
};

shortest shortest_of(double x) {
  char text[32];
  auto end = std::to_chars(text, text + sizeof text, x, std::chars_format::scientific).ptr;
  std::string_view all(text, static_cast<std::size_t>(end - text));
  auto e = all.find('e');
  shortest s;
  for (auto c : all.substr(0, e))
    if (c != '.')
      s.digits += c;
  auto exponent = all.substr(e + 1);
  if (exponent.front() == '+')
    exponent.remove_prefix(1);
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), s.point);
  ++s.point;
  return s;
}

void append_zeros(std::string& out, int count) { out.append(static_cast<std::size_t>(count), '0'); }

void append_exponent(const shortest& s, std::string& out) {
  out += s.digits[0];
  if (s.digits.size() > 1)
    (out += '.').append(s.digits, 1);
  out += s.point > 0 ? "e+" : "e-";
  out += std::to_string(std::abs(s.point - 1));
}

} // namespace

void append_number(double x, std::string& out) {
  if (!std::isfinite(x)) {
    out += "null";
    return;
  }
  char text[32];
  auto end = std::to_chars(text, text + sizeof text, x).ptr;
  std::string_view all(text, static_cast<std::size_t>(end - text));
  out += all;
  if (all.find_first_of(".e") == all.npos)
    out += ".0";
}

void append_ecmascript_number(double x, std::string& out) {
  if (!std::isfinite(x) || x == 0) {
    out += x == 0 ? "0" : "null";
    return;
  }
  if (x < 0)
    out += '-';
  auto s = shortest_of(std::abs(x));
  auto count = static_cast<int>(s.digits.size());
  if (s.point > 21 || s.point <= -6) {
    append_exponent(s, out);
  } else if (s.point <= 0) {
    out += "0.";
    append_zeros(out, -s.point);
    out += s.digits;
  } else if (count <= s.point) {
    out += s.digits;
    append_zeros(out, s.point - count);
  } else {
    out.append(s.digits, 0, static_cast<std::size_t>(s.point)) += '.';
    out.append(s.digits, static_cast<std::size_t>(s.point));
  }
}

} // namespace troupe::graph_json
