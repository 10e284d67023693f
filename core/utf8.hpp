#pragma once

#include <string>
#include <string_view>

namespace troupe::core {

/// The length of the well-formed UTF-8 sequence at the beginning of `text`, 0 if there is none
/// (RFC 3629: no surrogates, nothing overlong, nothing beyond U+10FFFF).
std::size_t utf8_sequence(std::string_view text) noexcept;

/// The first byte that is not UTF-8, or `npos`.
std::size_t find_bad_utf8(std::string_view text) noexcept;

/// `text` with U+FFFD in place of every byte that is not UTF-8.
std::string replace_bad_utf8(std::string_view text);

/// How many bytes at the end of `text` are the beginning of a character: 0…3.
std::size_t unfinished_utf8(std::string_view text) noexcept;

/// How many of the first `limit` bytes of `text` are whole characters: where it is cut.
std::size_t whole_characters(std::string_view text, std::size_t limit) noexcept;

} // namespace troupe::core
