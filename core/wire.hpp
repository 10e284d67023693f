#pragma once

#include "core/bytes.hpp"
#include "core/types.hpp"
#include "troupe/graph_spec.hpp"
#include "troupe/problem.hpp"

#include <array>
#include <concepts>
#include <optional>
#include <string>

namespace troupe::core {

/// Appends values: integers big-endian, so that the bytes of ids sort by time; strings and lists
/// with a length of 32 bits in front.
struct writer {
  bytes& out;

  void operator()(const auto&... xs) { (put(xs), ...); }

  template <class T>
  void put(T x) requires(std::integral<T> || std::is_enum_v<T>) {
    std::array<std::uint8_t, sizeof(T)> raw;
    auto bits = static_cast<std::uint64_t>(x);
    for (auto at = raw.rbegin(); at != raw.rend(); ++at, bits >>= 8)
      *at = static_cast<std::uint8_t>(bits);
    out.insert(out.end(), raw.begin(), raw.end());
  }
  void put(shard_time x) { put(x.time_since_epoch().count()); }
  void put(duration x) { put(x.count()); }
  void put(const token& x) { (*this)(x.high, x.low); }
  void put(const job_id& x) { (*this)(x.high, x.low); }
  void put(const graph_id& x) { out.insert(out.end(), x.sha256.begin(), x.sha256.end()); }
  void put(const std::string& x) {
    put(static_cast<std::uint32_t>(x.size()));
    out.insert(out.end(), x.begin(), x.end());
  }
  void put(const problem& x) { (*this)(x.code, x.pointer, x.detail); }
  /// Small numbers in few bytes: seven bits each, the lowest first (LEB128).
  void put_varint(std::uint64_t x) {
    for (; x >= 0x80; x >>= 7)
      out.push_back(static_cast<std::uint8_t>(x | 0x80));
    out.push_back(static_cast<std::uint8_t>(x));
  }
};

/// Reads what `writer` wrote. Bytes that are missing or out of range clear `ok`; what is read
/// after that is zero or empty.
struct reader {
  byte_view in;
  bool ok = true;

  void operator()(auto&... xs) { (get(xs), ...); }

  byte_view take(std::size_t size) {
    ok = ok && size <= in.size();
    auto taken = in.first(ok ? size : 0);
    in = in.subspan(taken.size());
    return taken;
  }

  template <class T>
  void get(T& x) requires(std::integral<T> || std::is_enum_v<T>) {
    std::uint64_t bits = 0;
    for (auto byte : take(sizeof(T)))
      bits = bits << 8 | byte;
    x = static_cast<T>(bits);
    if constexpr (requires { last(x); })
      check(x <= last(x), x);
    else if constexpr (std::same_as<T, bool>)
      check(bits <= 1, x);
  }
  void get(shard_time& x) {
    shard_time::rep count = 0;
    get(count);
    x = shard_time{shard_time::duration{count}};
  }
  void get(duration& x) {
    duration::rep count = 0;
    get(count);
    x = duration{count};
  }
  void get(token& x) { (*this)(x.high, x.low); }
  void get(job_id& x) { (*this)(x.high, x.low); }
  void get(graph_id& x) {
    if (auto taken = take(x.sha256.size()); ok)
      std::copy(taken.begin(), taken.end(), x.sha256.begin());
  }
  void get(std::string& x) {
    std::uint32_t size = 0;
    get(size);
    auto taken = take(size);
    x.assign(taken.begin(), taken.end());
  }
  void get(problem& x) { (*this)(x.code, x.pointer, x.detail); }
  /// Only the shortest form of a number is one.
  std::uint64_t get_varint() {
    std::uint64_t x = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      auto taken = take(1);
      if (!ok)
        return 0;
      auto part = static_cast<std::uint64_t>(taken[0] & 0x7f);
      x |= part << shift;
      if (taken[0] < 0x80) {
        auto shortest = part > 0 || shift == 0;
        check(shortest && part == part << shift >> shift, x);
        return x;
      }
    }
    ok = false;
    return 0;
  }

private:
  template <class T>
  void check(bool fits, T& x) {
    ok = ok && fits;
    if (!ok)
      x = T{};
  }
};

} // namespace troupe::core
