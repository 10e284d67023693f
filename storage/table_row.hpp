#pragma once

#include "storage/tables.hpp"

namespace troupe::storage {

/// The number under which a store keeps rows of its own, in no table.
inline constexpr std::uint8_t own_rows = 255;

inline constexpr std::size_t row_checksum_bytes = 4;

inline constexpr std::uint8_t number_of(table x) noexcept { return static_cast<std::uint8_t>(x); }

/// CRC32C over the table's number, the key's size, the key and the value.
std::uint32_t row_checksum(std::uint8_t of, core::byte_view key, core::byte_view value) noexcept;

/// Makes `into` what the file keeps as a row's value: the value and its checksum.
void seal(core::bytes& into, std::uint8_t of, core::byte_view key, core::byte_view value);

/// The value of what the file keeps; nothing if the checksum is wrong.
std::optional<core::byte_view> unseal(std::uint8_t of, core::byte_view key,
                                      core::byte_view kept) noexcept;

/// A hash of one row, to be added up in `table_totals`. It stands in files: it never changes.
std::uint64_t row_digest(table of, core::byte_view key, core::byte_view value) noexcept;

/// Whether a row can be kept. Errors: `invalid_spec` for an empty key, `too_large`.
status check_row(core::byte_view key, core::byte_view value);

/// Counts a row in, or out again.
void add_row(table_totals& to, table of, core::byte_view key, core::byte_view value) noexcept;
void drop_row(table_totals& from, table of, core::byte_view key, core::byte_view value) noexcept;

} // namespace troupe::storage
