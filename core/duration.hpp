#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::core {

/// Reads a duration as people write it: a decimal number and `ms`, `s`, `m`, `h` or `d` (`10s`,
/// `1.5h`), or ISO 8601 with weeks, days, hours, minutes and seconds (`PT10S`, `P1DT2H`; only the
/// last number may have decimals). Parts of a millisecond are rounded up, so that nothing above 0
/// becomes 0. Nothing for any other text, a sign, or more than `limits::duration_max`.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest text of one unit that `parse_duration` reads back exactly: `90s`, `250ms`, `0s`.
std::string to_text(std::chrono::milliseconds duration);

} // namespace troupe::core
