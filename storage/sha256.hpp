#pragma once

#include "core/bytes.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::storage {

using sha256_digest = std::array<std::uint8_t, 32>;

/// The SHA-256 of `data` (FIPS 180-4).
sha256_digest sha256(core::byte_view data);

/// The same of bytes that come in pieces.
class sha256_stream {
public:
  sha256_stream();
  ~sha256_stream();
  sha256_stream(const sha256_stream&) = delete;
  sha256_stream& operator=(const sha256_stream&) = delete;

  void add(core::byte_view piece);
  /// Of all pieces. Once, at the end.
  sha256_digest end();

private:
  void* context_; ///< Of OpenSSL.
};

/// 64 lower-case hexadecimal digits.
std::string to_hex(const sha256_digest& digest);

/// What `to_hex` wrote; nothing if it is anything else.
std::optional<sha256_digest> sha256_from_hex(std::string_view text);

} // namespace troupe::storage
