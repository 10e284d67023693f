#pragma once

#include "core/bytes.hpp"

#include <array>
#include <string>

namespace troupe::storage {

using sha256_digest = std::array<std::uint8_t, 32>;

/// The SHA-256 of `data` (FIPS 180-4).
sha256_digest sha256(core::byte_view data);

/// 64 lower-case hexadecimal digits.
std::string to_hex(const sha256_digest& digest);

} // namespace troupe::storage
