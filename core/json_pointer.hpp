#pragma once

#include "troupe/value.hpp"

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace troupe::core {

/// The unescaped steps of a JSON Pointer (RFC 6901): keys of objects, indices of lists. No step
/// leads to the whole value.
using pointer_steps = std::vector<std::string>;

/// Reads a JSON Pointer. Nothing if it neither is empty nor begins with `/`, or if a `~` is not
/// followed by `0` or `1`.
std::optional<pointer_steps> parse_pointer(std::string_view text);

/// Where `steps` lead in `from`, or null if they lead nowhere. An index is written without leading
/// zeros; `-`, the element after the last, leads nowhere.
const value* follow(const value& from, const pointer_steps& steps) noexcept;

/// Appends one step to a pointer, escaped.
void append_step(std::string& pointer, std::string_view step);

/// `pointer` with `steps`, keys or indices, appended: `at("/vertices", 3, "config")`.
template <class... Steps>
std::string at(std::string pointer, const Steps&... steps) {
  [[maybe_unused]] auto append = [&](const auto& step) {
    if constexpr (std::integral<std::decay_t<decltype(step)>>)
      append_step(pointer, std::to_string(step));
    else
      append_step(pointer, step);
  };
  (append(steps), ...);
  return pointer;
}

} // namespace troupe::core
