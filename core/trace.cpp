#include "core/trace.hpp"

#include <algorithm>

namespace troupe::core {

namespace {

constexpr std::size_t text_bytes = 55; ///< Of version 00: 2, 32, 16 and 2 digits, 3 dashes.

/// Lower case only, as the standard has it.
std::optional<std::uint8_t> digit_of(char c) {
  if (c >= '0' && c <= '9')
    return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f')
    return static_cast<std::uint8_t>(c - 'a' + 10);
  return {};
}

/// Reads two digits for each byte of `to`.
template <class Bytes>
bool read_hex(std::string_view text, Bytes& to) {
  for (std::size_t i = 0; i < std::size(to); ++i) {
    auto high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
    if (!high || !low)
      return false;
    to[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return true;
}

void add_hex(std::string& to, std::uint8_t byte) {
  constexpr char digits[] = "0123456789abcdef";
  to += digits[byte >> 4];
  to += digits[byte & 15];
}

/// FNV-1a, then mixed so that every bit depends on all.
class stable_hash {
public:
  void add(std::uint8_t byte) noexcept { state_ = (state_ ^ byte) * 0x100'0000'01b3u; }
  void add(std::uint64_t x) noexcept {
    for (int shift = 56; shift >= 0; shift -= 8)
      add(static_cast<std::uint8_t>(x >> shift));
  }
  std::uint64_t result() const noexcept {
    auto x = state_;
    x = (x ^ x >> 30) * 0xbf58'476d'1ce4'e5b9u;
    x = (x ^ x >> 27) * 0x94d0'49bb'1331'11ebu;
    x ^= x >> 31;
    return x == 0 ? 1 : x;
  }

private:
  std::uint64_t state_ = 0xcbf2'9ce4'8422'2325u;
};

} // namespace

std::optional<trace_context> parse_trace(std::string_view text) {
  if (text.size() < text_bytes || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return {};
  std::array<std::uint8_t, 1> version{}, flags{};
  std::array<std::uint8_t, 8> span{};
  trace_context x;
  if (!read_hex(text, version) || !read_hex(text.substr(3), x.trace)
      || !read_hex(text.substr(36), span) || !read_hex(text.substr(53), flags))
    return {};
  auto fits = version[0] == 0 ? text.size() == text_bytes
                              : text.size() == text_bytes || text[text_bytes] == '-';
  for (auto byte : span)
    x.span = x.span << 8 | byte;
  if (version[0] == 0xff || !fits || x.span == 0 || x.trace == decltype(x.trace){})
    return {};
  x.sampled = flags[0] & 1;
  return x;
}

std::string to_text(const trace_context& x) {
  std::string text = "00-";
  for (auto byte : x.trace)
    add_hex(text, byte);
  text += '-';
  for (int shift = 56; shift >= 0; shift -= 8)
    add_hex(text, static_cast<std::uint8_t>(x.span >> shift));
  return text + (x.sampled ? "-01" : "-00");
}

std::uint64_t span_of(job_id job, std::string_view vertex, std::uint32_t attempt) noexcept {
  stable_hash hash;
  hash.add(job.high);
  hash.add(job.low);
  for (auto c : vertex)
    hash.add(static_cast<std::uint8_t>(c));
  hash.add(std::uint64_t{attempt});
  return hash.result();
}

std::string trace_of_attempt(const std::map<std::string, std::string>& labels, job_id job,
                             std::string_view vertex, std::uint32_t attempt) {
  auto found = labels.find(trace_label);
  auto trace = found == labels.end() ? std::nullopt : parse_trace(found->second);
  if (!trace)
    return {};
  trace->span = span_of(job, vertex, attempt);
  return to_text(*trace);
}

} // namespace troupe::core
