#pragma once

#include "troupe/value.hpp"

#include <compare>
#include <string_view>

namespace troupe::core {

/// Whether two values are the same: integers and numbers by what they amount to, the rest by type
/// and content. With `ignore_case`, two strings may differ in the case of ASCII letters. What is
/// nested deeper than `limits::value_depth_max` is not the same as anything.
bool same(const value& a, const value& b, bool ignore_case = false) noexcept;

/// How two numbers, exactly, or two strings, by byte, are ordered; all else is unordered.
std::partial_ordering order(const value& a, const value& b) noexcept;

/// Whether `part` occurs in `whole`, in time linear in both (Knuth, Morris, Pratt, 1977).
bool contains(std::string_view whole, std::string_view part, bool ignore_case);

bool starts_with(std::string_view whole, std::string_view part, bool ignore_case) noexcept;
bool ends_with(std::string_view whole, std::string_view part, bool ignore_case) noexcept;

} // namespace troupe::core
