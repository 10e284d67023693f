#include "node/http/byte_range.hpp"

#include <charconv>
#include <limits>

namespace troupe::http {

namespace {

constexpr auto most = std::numeric_limits<std::uint64_t>::max();

/// A number of digits alone; what does not fit is `most`.
std::optional<std::uint64_t> number_of(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos)
    return {};
  std::uint64_t x = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), x);
  return read.ec == std::errc{} ? x : most;
}

/// `text` is `2-5`, `2-` or `-4`.
std::optional<byte_range> parse(std::string_view text, std::uint64_t bytes) {
  auto dash = text.find('-');
  if (dash == text.npos)
    return {};
  auto first = number_of(text.substr(0, dash)), last = number_of(text.substr(dash + 1));
  if (dash == 0) {
    auto count = std::min(last.value_or(0), bytes);
    return last && (*last == 0 || bytes > 0) ? std::optional{byte_range{bytes - count, count}}
                                             : std::nullopt;
  }
  auto is_open = dash + 1 == text.size();
  if (!first || (!last && !is_open) || last.value_or(most) < *first)
    return {};
  if (*first >= bytes)
    return byte_range{};
  return byte_range{*first, std::min(last.value_or(most), bytes - 1) - *first + 1};
}

} // namespace

std::optional<byte_range> range_of(const headers& fields, std::uint64_t bytes,
                                   std::string_view tag) {
  auto wanted = fields.find("Range"), only_of = fields.find("If-Range");
  if (!wanted || fields.count("Range") > 1 || (only_of && *only_of != tag))
    return {};
  std::string_view text{*wanted};
  auto equals = text.find('=');
  if (equals == text.npos || !same_word(text.substr(0, equals), "bytes"))
    return {};
  return parse(text.substr(equals + 1), bytes); // A list of several is no number.
}

std::string content_range(const byte_range& part, std::uint64_t bytes) {
  auto place = part.count == 0
                   ? std::string{"*"}
                   : std::to_string(part.first) + "-" + std::to_string(part.first + part.count - 1);
  return "bytes " + place + "/" + std::to_string(bytes);
}

} // namespace troupe::http
