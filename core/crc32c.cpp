#include "core/crc32c.hpp"

#include <array>
#include <cstring>

namespace troupe::core {

namespace {

constexpr auto table = [] {
  std::array<std::uint32_t, 256> entries{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    auto crc = i;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
    entries[i] = crc;
  }
  return entries;
}();

std::uint32_t by_table(byte_view data, std::uint32_t crc) noexcept {
  for (auto byte : data)
    crc = (crc >> 8) ^ table[(crc ^ byte) & 0xff];
  return crc;
}

#if defined(__x86_64__) && defined(__GNUC__)

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(byte_view data,
                                                               std::uint32_t crc) noexcept {
  std::uint64_t wide = crc;
  auto at = data.data();
  auto left = data.size();
  for (; left >= sizeof(std::uint64_t); left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (; left > 0; --left, ++at)
    narrow = __builtin_ia32_crc32qi(narrow, *at);
  return narrow;
}

const bool has_instruction = __builtin_cpu_supports("sse4.2");

#else

std::uint32_t by_instruction(byte_view data, std::uint32_t crc) noexcept {
  return by_table(data, crc);
}

constexpr bool has_instruction = false;

#endif

} // namespace

std::uint32_t crc32c(byte_view data, std::uint32_t crc) noexcept {
  return ~(has_instruction ? by_instruction(data, ~crc) : by_table(data, ~crc));
}

} // namespace troupe::core
