#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::actors {

/// The first byte that is not UTF-8, or `npos`.
std::size_t find_bad_utf8(std::string_view text) noexcept;

/// `text` with U+FFFD in place of every byte that is not UTF-8.
std::string replace_bad_utf8(std::string_view text);

/// How many bytes at the end of `text` are the beginning of a character: 0…3.
std::size_t unfinished_utf8(std::string_view text) noexcept;

} // namespace troupe::actors
