#include "node/store_text.hpp"

#include <array>
#include <cstdio>

namespace troupe::node {

namespace {

constexpr auto redraw_every = std::chrono::milliseconds{100};

} // namespace

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array units{"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000)
    return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
  auto x = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; x >= 999.5; x /= 1000)
    ++unit;
  char text[16];
  std::snprintf(text, sizeof text, x < 9.95 ? "%.1f" : "%.0f", x);
  return std::string{text} + " " + units[unit];
}

void progress_line::tell(const char* part, std::uint64_t bytes, std::uint64_t total) {
  auto now = std::chrono::steady_clock::now();
  if (!to_.can_draw() || (part_ == part && now - drawn_ < redraw_every))
    return;
  part_ = part;
  drawn_ = now;
  there_ = true;
  auto text = "\r\x1b[K" + part_;
  if (bytes > 0)
    text += ": " + size_text(bytes);
  if (total >= bytes && total > 0)
    text += " of " + size_text(total);
  to_.err(text);
}

void progress_line::clear() {
  if (std::exchange(there_, false))
    to_.err("\r\x1b[K");
}

int flushed(console& to, exit_code code) {
  return to.flush() ? number(code) : to.fail(fault::output_failed);
}

int flushed(console& to, std::string next) {
  return to.flush() ? number(exit_code::ok)
                    : to.fail({fault::output_failed, {}, {}, std::move(next)});
}

void show(console& to, const value& x, format how) {
  how == format::json ? to.out_json(x) : to.out_line(x);
}

} // namespace troupe::node
