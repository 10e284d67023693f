#include "node/text.hpp"

#include "node/harmless.hpp"

#include <algorithm>
#include <cstdio>

namespace troupe::node {

namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20; }

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

std::string two_digits(long long x) { return (x < 10 ? "0" : "") + std::to_string(x); }

} // namespace

std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0, n = 0; i < text.size(); i += std::max<std::size_t>(n, 1)) {
    n = steering_bytes(text.substr(i));
    out += n > 0 || is_control(text[i]) ? ' ' : text[i];
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, starts_character));
}

std::string cut(std::string_view text, std::size_t width) {
  auto line = one_line(text);
  if (width_of(line) <= width)
    return line;
  std::size_t seen = 0, i = 0;
  for (; i < line.size(); ++i)
    if (starts_character(line[i]) && ++seen >= width)
      break;
  return width == 0 ? "" : line.substr(0, i) + "…";
}

std::string span_text(std::chrono::milliseconds x) {
  auto ms = std::max<long long>(x.count(), 0);
  if (ms < 1000)
    return std::to_string(ms) + " ms";
  if (ms < 60'000)
    return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100) + " s";
  auto s = ms / 1000;
  if (s < 3600)
    return std::to_string(s / 60) + ":" + two_digits(s % 60);
  return std::to_string(s / 3600) + ":" + two_digits(s / 60 % 60) + ":" + two_digits(s % 60);
}

std::string table_of(std::span<const row> rows) {
  std::vector<std::size_t> widths;
  for (auto& r : rows) {
    widths.resize(std::max(widths.size(), r.size()));
    for (std::size_t i = 0; i < r.size(); ++i)
      widths[i] = std::max(widths[i], width_of(r[i]));
  }
  std::string out;
  for (auto& r : rows) {
    std::string line;
    for (std::size_t i = 0; i < r.size(); ++i)
      line += r[i] + std::string(widths[i] - width_of(r[i]) + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string counted(std::size_t n, std::string_view noun) {
  auto irregular = noun == "vertex";
  if (n == 1)
    return "1 " + std::string{noun};
  return std::to_string(n) + " " + (irregular ? "vertices" : std::string{noun} + "s");
}

} // namespace troupe::node
