#pragma once

#include "core/types.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe::core {

/// Reads an RFC 3339 time of the years 0000 to 9999 (`2026-01-31T12:00:00.250Z`), with `Z` or an
/// offset. Digits below a millisecond are cut; a leap second (`23:59:60` UTC) reads as the second
/// after it. Nothing for any other text, nor for a day that the calendar does not have.
std::optional<shard_time> parse_time(std::string_view text);

/// The same in UTC, with milliseconds: `2026-01-31T12:00:00.250Z`. What lies outside of the years
/// 0000 to 9999 becomes their first or last millisecond.
std::string to_text(shard_time time);

} // namespace troupe::core
