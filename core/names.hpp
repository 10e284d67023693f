#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::core {

/// Whether `text` can name a vertex, port, queue, label, tenant or namespace:
/// `[A-Za-z0-9_.:-]{1,128}`.
bool is_name(std::string_view text) noexcept;

/// The one of `known` that `word` is a slip of, or nothing: at most a third of its letters were
/// left out, added, changed or swapped with the next.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

/// ``; did you mean `x`?`` if one of `known` is near, else nothing. To be put at a detail's end.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

/// `` `a`, `b`, `c` ``.
std::string listed(std::span<const std::string_view> words);

/// `text` in back quotes as a detail shows it: at most `limits::name_bytes_max` bytes, then `…`.
std::string quoted(std::string_view text);

} // namespace troupe::core
