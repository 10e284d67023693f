#include "storage/lmdb_own_rows.hpp"

#include <algorithm>
#include <cstring>

namespace troupe::storage {

namespace {

template <class Number>
void append(core::bytes& to, Number x) {
  auto at = to.size();
  to.resize(at + sizeof x);
  std::memcpy(to.data() + at, &x, sizeof x);
}

/// Reads one number after another; zeros behind the end.
class numbers {
public:
  explicit numbers(core::byte_view data) : left_(data) {}

  template <class Number>
  Number next() {
    Number x{};
    if (left_.size() < sizeof x)
      return x;
    std::memcpy(&x, left_.data(), sizeof x);
    left_ = left_.subspan(sizeof x);
    return x;
  }

private:
  core::byte_view left_;
};

constexpr std::size_t marker_bytes = 4 + 16 + 8;
constexpr std::size_t totals_of_table_bytes = 3 * 8;

} // namespace

core::bytes encode(const own_marker& x) {
  core::bytes data;
  append(data, x.format);
  data.insert(data.end(), x.owner.node.bytes.begin(), x.owner.node.bytes.end());
  append(data, x.owner.incarnation);
  return data;
}

std::optional<own_marker> decode_marker(core::byte_view data) {
  numbers from{data};
  own_marker x;
  x.format = from.next<std::uint32_t>();
  if (x.format > snapshot_format)
    return x;
  if (x.format == 0 || data.size() != marker_bytes)
    return std::nullopt;
  for (auto& byte : x.owner.node.bytes)
    byte = from.next<std::uint8_t>();
  x.owner.incarnation = from.next<std::uint64_t>();
  return x;
}

core::bytes encode(const own_totals& x) {
  core::bytes data;
  append(data, x.transaction);
  for (std::size_t i = 0; i < tables; ++i) {
    append(data, x.of[i].rows);
    append(data, x.of[i].digest);
    append(data, x.changed[i]);
  }
  return data;
}

std::optional<own_totals> decode_totals(core::byte_view data) {
  if (data.size() < 8 || (data.size() - 8) % totals_of_table_bytes != 0)
    return std::nullopt;
  numbers from{data};
  own_totals x;
  x.transaction = from.next<std::uint64_t>();
  auto known = std::min<std::size_t>(tables, (data.size() - 8) / totals_of_table_bytes);
  for (std::size_t i = 0; i < known; ++i) {
    x.of[i].rows = from.next<std::uint64_t>();
    x.of[i].digest = from.next<std::uint64_t>();
    x.changed[i] = from.next<std::uint64_t>();
  }
  return x;
}

} // namespace troupe::storage
