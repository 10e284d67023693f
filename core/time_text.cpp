#include "core/time_text.hpp"

#include <algorithm>

namespace troupe::core {

namespace {

using namespace std::chrono;

constexpr shard_time first_time = sys_days{year{0} / 1 / 1};
constexpr shard_time last_time = sys_days{year{10000} / 1 / 1} - 1ms;

/// Takes from the front of `text`; what does not fit clears `ok`.
struct scanner {
  std::string_view text;
  bool ok = true;

  char peek() const noexcept { return text.empty() ? '\0' : text[0]; }
  bool digit() const noexcept { return peek() >= '0' && peek() <= '9'; }
  char take() noexcept {
    auto c = peek();
    text.remove_prefix(text.empty() ? 0 : 1);
    return c;
  }
  int number(int digits, int max) noexcept {
    int x = 0;
    while (digits-- > 0) {
      ok = ok && digit();
      x = x * 10 + (take() - '0');
    }
    ok = ok && x <= max;
    return ok ? x : 0;
  }
  void expect(char upper) noexcept {
    auto c = take();
    ok = ok && (c == upper || (upper >= 'A' && c == upper + ('a' - 'A')));
  }
};

sys_days date(scanner& in) noexcept {
  auto y = in.number(4, 9999);
  in.expect('-');
  auto m = in.number(2, 12);
  in.expect('-');
  auto d = in.number(2, 31);
  auto day = year{y} / m / d;
  in.ok = in.ok && day.ok();
  return in.ok ? sys_days{day} : sys_days{};
}

milliseconds fraction(scanner& in) noexcept {
  int ms = 0;
  if (in.peek() != '.')
    return milliseconds{0};
  in.take();
  in.ok = in.ok && in.digit();
  for (int scale = 100; in.digit(); scale /= 10)
    ms += (in.take() - '0') * scale;
  return milliseconds{ms};
}

minutes offset(scanner& in) noexcept {
  auto sign = in.take();
  if (sign == 'Z' || sign == 'z')
    return minutes{0};
  in.ok = in.ok && (sign == '+' || sign == '-');
  auto hour = in.number(2, 23);
  in.expect(':');
  minutes ahead{hour * 60 + in.number(2, 59)};
  return sign == '-' ? -ahead : ahead;
}

void append_digits(std::string& text, int x, std::size_t count) {
  auto digits = std::to_string(x);
  text.append(count - std::min(count, digits.size()), '0') += digits;
}

} // namespace

std::optional<shard_time> parse_time(std::string_view text) {
  scanner in{text};
  shard_time time = date(in);
  in.expect('T');
  time += hours{in.number(2, 23)};
  in.expect(':');
  time += minutes{in.number(2, 59)};
  in.expect(':');
  auto second = in.number(2, 60);
  time += seconds{second} + fraction(in);
  time -= offset(in);
  auto leap_ok = second < 60 || floor<seconds>(time) == ceil<days>(floor<seconds>(time));
  if (!in.ok || !in.text.empty() || !leap_ok || time < first_time || time > last_time)
    return {};
  return time;
}

std::string to_text(shard_time time) {
  time = std::clamp(time, first_time, last_time);
  auto day = floor<days>(time);
  year_month_day date{day};
  hh_mm_ss clock{time - day};
  std::string text;
  auto append = [&](auto x, std::size_t digits, const char* after) {
    append_digits(text, static_cast<int>(x), digits);
    text += after;
  };
  append(int{date.year()}, 4, "-");
  append(unsigned{date.month()}, 2, "-");
  append(unsigned{date.day()}, 2, "T");
  append(clock.hours().count(), 2, ":");
  append(clock.minutes().count(), 2, ":");
  append(clock.seconds().count(), 2, ".");
  append(clock.subseconds().count(), 3, "Z");
  return text;
}

} // namespace troupe::core
