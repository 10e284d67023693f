#include "storage/table_row.hpp"

#include "core/crc32c.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace troupe::storage {

namespace {

void put_checksum(std::uint32_t crc, std::uint8_t* to) {
  for (int i = 0; i < 4; ++i)
    to[i] = static_cast<std::uint8_t>(crc >> 8 * i);
}

std::uint64_t mixed(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51'afd7'ed55'8ccdu;
  x ^= x >> 33;
  x *= 0xc4ce'b9fe'1a85'ec53u;
  return x ^ x >> 33;
}

/// Takes 8 bytes at a time, the rest filled up with zeros; the size tells them apart.
std::uint64_t taken_in(std::uint64_t state, core::byte_view data) {
  state = mixed(state ^ data.size());
  for (std::size_t at = 0; at < data.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data.data() + at, std::min<std::size_t>(8, data.size() - at));
    state = std::rotl((state ^ word) * 0x9e37'79b9'7f4a'7c15u, 29);
  }
  return mixed(state);
}

} // namespace

static_assert(std::endian::native == std::endian::little, "checksums and digests stand in files");

std::uint32_t row_checksum(std::uint8_t of, core::byte_view key, core::byte_view value) noexcept {
  std::array<std::uint8_t, 3> head{of, static_cast<std::uint8_t>(key.size()),
                                   static_cast<std::uint8_t>(key.size() >> 8)};
  return core::crc32c(value, core::crc32c(key, core::crc32c(head)));
}

void seal(core::bytes& into, std::uint8_t of, core::byte_view key, core::byte_view value) {
  into.resize(value.size() + row_checksum_bytes);
  std::copy(value.begin(), value.end(), into.begin());
  put_checksum(row_checksum(of, key, value), into.data() + value.size());
}

std::optional<core::byte_view> unseal(std::uint8_t of, core::byte_view key,
                                      core::byte_view kept) noexcept {
  if (kept.size() < row_checksum_bytes)
    return std::nullopt;
  auto value = kept.first(kept.size() - row_checksum_bytes);
  std::array<std::uint8_t, row_checksum_bytes> right{};
  put_checksum(row_checksum(of, key, value), right.data());
  if (!std::equal(right.begin(), right.end(), kept.end() - row_checksum_bytes))
    return std::nullopt;
  return value;
}

std::uint64_t row_digest(table of, core::byte_view key, core::byte_view value) noexcept {
  return taken_in(taken_in(number_of(of) + 1, key), value);
}

status check_row(core::byte_view key, core::byte_view value) {
  if (key.empty())
    return error{ec::invalid_spec, "a row needs a key of at least one byte"};
  if (key.size() > limits::table_key_bytes_max)
    return error{ec::too_large, "a row's key has " + std::to_string(key.size()) + " bytes; at most "
                                    + std::to_string(limits::table_key_bytes_max) + " fit"};
  if (value.size() > limits::table_value_bytes_max)
    return error{ec::too_large, "a row has " + std::to_string(value.size()) + " bytes; at most "
                                    + std::to_string(limits::table_value_bytes_max)
                                    + " fit: keep it as a blob"};
  return {};
}

void add_row(table_totals& to, table of, core::byte_view key, core::byte_view value) noexcept {
  ++to.rows;
  to.digest += row_digest(of, key, value);
}

void drop_row(table_totals& from, table of, core::byte_view key, core::byte_view value) noexcept {
  --from.rows;
  from.digest -= row_digest(of, key, value);
}

} // namespace troupe::storage
