#pragma once

#include "core/bytes.hpp"
#include "tests/support/catch.hpp"

#include <fstream>
#include <map>
#include <string>

namespace troupe::tests {

inline std::string hex(core::byte_view data) {
  std::string text;
  for (auto byte : data)
    for (auto nibble : {byte >> 4, byte & 15})
      text += "0123456789abcdef"[nibble];
  return text;
}

inline core::bytes unhex(const std::string& text) {
  core::bytes data;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    data.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return data;
}

using named_bytes = std::map<std::string, core::bytes>;

/// A file below `tests/` with `name hex` in each line: formats as they were first written.
inline named_bytes golden(const std::string& file) {
  std::ifstream in{std::string{TROUPE_SOURCE_DIR "/tests/"} + file};
  REQUIRE(in);
  named_bytes lines;
  for (std::string name, text; in >> name >> text;)
    lines.emplace(name, unhex(text));
  return lines;
}

} // namespace troupe::tests
