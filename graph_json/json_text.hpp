#pragma once

#include <string>
#include <string_view>

namespace troupe::graph_json {

/// Whether `a` comes before `b` in order of UTF-16 code units. Both are well-formed UTF-8.
bool utf16_less(std::string_view a, std::string_view b) noexcept;

/// Appends a JSON string with its quotes, escaped as RFC 8785 says; ill-formed bytes become U+FFFD.
void append_json_string(std::string_view text, std::string& out);

} // namespace troupe::graph_json
