#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Text for terminals. Pure; any thread.
namespace troupe::node {

/// `text` on one line and without control characters, which could steer a terminal.
std::string one_line(std::string_view text);

/// The same, but at most `width` characters, the last one being `…` if something was cut.
std::string cut(std::string_view text, std::size_t width);

/// How many characters UTF-8 text has.
std::size_t width_of(std::string_view text);

/// A time span for people: `12 ms`, `3.4 s`, `2:05`, `1:02:03`.
std::string span_text(std::chrono::milliseconds x);

/// Rows of a table below each other: columns as wide as their widest cell, two spaces apart.
using row = std::vector<std::string>;
std::string table_of(std::span<const row> rows);

/// `3 jobs`, `1 job`.
std::string counted(std::size_t n, std::string_view noun);

} // namespace troupe::node
