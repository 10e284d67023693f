#pragma once

#include "core/bytes.hpp"

namespace troupe::core {

/// CRC32C (Castagnoli; RFC 3720, appendix B.4) of `data`, continued from `crc`. By the processor's
/// instruction where there is one.
std::uint32_t crc32c(byte_view data, std::uint32_t crc = 0) noexcept;

} // namespace troupe::core
