#include "storage/lmdb_pages.hpp"

#include <cassert>
#include <cstring>

namespace troupe::storage::lmdb {

namespace {

constexpr std::uint32_t magic = 0xbeef'c0de;
constexpr std::uint32_t version = 1;
constexpr std::size_t node_header_bytes = 8;

/// Offsets in the header of a page.
constexpr std::size_t flags_at = 10, lower_at = 12, upper_at = 14;

bool power_of_two(std::size_t x) { return x != 0 && (x & (x - 1)) == 0; }

} // namespace

template <class Number>
Number number_at(core::byte_view data, std::size_t at) {
  assert(at + sizeof(Number) <= data.size());
  Number x;
  std::memcpy(&x, data.data() + at, sizeof x);
  return x;
}

template std::uint16_t number_at(core::byte_view, std::size_t);
template std::uint32_t number_at(core::byte_view, std::size_t);
template std::uint64_t number_at(core::byte_view, std::size_t);

tree tree_at(core::byte_view data) {
  return {number_at<std::uint32_t>(data, 0),  number_at<std::uint16_t>(data, 4),
          number_at<std::uint16_t>(data, 6),  number_at<std::uint64_t>(data, 8),
          number_at<std::uint64_t>(data, 16), number_at<std::uint64_t>(data, 24),
          number_at<std::uint64_t>(data, 32), number_at<std::uint64_t>(data, 40)};
}

std::optional<meta> meta_at(core::byte_view data) {
  if (data.size() < meta_bytes || !(number_at<std::uint16_t>(data, flags_at) & meta_flag))
    return std::nullopt;
  auto body = data.subspan(page_header_bytes);
  if (number_at<std::uint32_t>(body, 0) != magic || number_at<std::uint32_t>(body, 4) != version)
    return std::nullopt;
  meta found{number_at<std::uint64_t>(body, 16), tree_at(body.subspan(24)),
             tree_at(body.subspan(24 + tree_bytes)), number_at<std::uint64_t>(body, 120),
             number_at<std::uint64_t>(body, 128)};
  if (!power_of_two(found.page_bytes()) || found.page_bytes() < 256 || found.page_bytes() > 65536)
    return std::nullopt;
  return found;
}

std::optional<page> page::of(core::byte_view data, page_number number) {
  auto flags = number_at<std::uint16_t>(data, flags_at);
  std::size_t lower = number_at<std::uint16_t>(data, lower_at);
  std::size_t upper = number_at<std::uint16_t>(data, upper_at);
  if (number_at<std::uint64_t>(data, 0) != number || (flags != branch_flag && flags != leaf_flag)
      || lower < page_header_bytes || lower % 2 != 0 || upper < lower || upper > data.size())
    return std::nullopt;
  return page{data, flags == leaf_flag, (lower - page_header_bytes) / 2, upper};
}

std::optional<node> page::at(std::size_t index) const {
  std::size_t at = number_at<std::uint16_t>(data_, page_header_bytes + 2 * index);
  if (at < upper_ || at % 2 != 0 || at + node_header_bytes > data_.size())
    return std::nullopt;
  std::uint64_t low = number_at<std::uint32_t>(data_, at);
  auto flags = number_at<std::uint16_t>(data_, at + 4);
  std::size_t key_size = number_at<std::uint16_t>(data_, at + 6);
  auto rest = data_.subspan(at + node_header_bytes);
  if (key_size > rest.size())
    return std::nullopt;
  auto even = [](std::size_t x) { return x + x % 2; };
  node found{rest.first(key_size), {}, 0, flags, no_page, even(node_header_bytes + key_size)};
  if (!leaf_) {
    found.flags = 0;
    found.child = low | std::uint64_t{flags} << 32;
    return found;
  }
  found.size = low;
  auto kept = (flags & node_big) ? sizeof(page_number) : low;
  if (kept > rest.size() - key_size)
    return std::nullopt;
  found.value = rest.subspan(key_size, kept);
  found.bytes = even(node_header_bytes + key_size + kept);
  return found;
}

std::optional<std::uint64_t> overflow_pages(core::byte_view data, page_number number) {
  if (number_at<std::uint64_t>(data, 0) != number
      || number_at<std::uint16_t>(data, flags_at) != overflow_flag)
    return std::nullopt;
  return number_at<std::uint32_t>(data, lower_at);
}

} // namespace troupe::storage::lmdb
