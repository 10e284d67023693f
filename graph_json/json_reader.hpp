#pragma once

#include "troupe/value.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::graph_json {

/// Takes what a JSON text consists of, in the order of the text. Whatever returns false ends the
/// reading.
class json_events {
public:
  virtual ~json_events() = default;

  /// null, boolean, integer, number or string.
  virtual bool scalar(value&& x) = 0;
  /// The same for an integer beyond 64 bits that is another number as a double, which is what `x`
  /// has of it. `digits` is what the text says.
  virtual bool rounded(value&& x, const std::string& digits);
  /// A list or an object begins.
  virtual bool begin(value::type type) = 0;
  /// The key of the next member.
  virtual bool key(std::string name) = 0;
  /// The list or object that began last ends.
  virtual bool end() = 0;
};

/// A position in a text. Columns count bytes; both line and column start at 1.
struct text_place {
  std::uint64_t byte = 0, line = 1, column = 1;

  bool operator==(const text_place&) const = default;
};

/// `line 3, column 5 (byte 40)`.
std::string to_string(const text_place& place);

/// How many lists and objects lie around a config or a condition of a graph, which is a value of
/// its own: the graph, a list, and a vertex or an edge.
inline constexpr std::size_t graph_levels = 3;

/// Why a text was not read to its end.
struct json_fault {
  enum class cause : std::uint8_t {
    syntax,    ///< It is not JSON (RFC 8259), or has something after it.
    too_deep,  ///< Nested deeper than the reader wants.
    refused,   ///< The receiver of the events returned false.
    unreadable ///< The file could not be opened or read.
  } why = cause::syntax;
  text_place at;      ///< Where reading stopped: the last byte of what was wrong.
  std::string detail; ///< Empty for `refused`.
};

/// Reads one JSON text of UTF-8. Integers beyond 64 bits arrive as numbers, by `scalar` if a double
/// is written with the same digits (RFC 8785), else by `rounded`; a number too large for
/// a double, `NaN`, comments and a byte of 0 are syntax errors. Nothing if all was read. At most
/// `outer` lists and objects may lie around what is nested `limits::value_depth_max` deep.
std::optional<json_fault> read_json(std::string_view text, json_events& to, std::size_t outer = 0);

/// The same from a file (or pipe), in pieces, without holding it in memory.
std::optional<json_fault> read_json_file(const std::string& path, json_events& to,
                                         std::size_t outer = 0);

/// What is wrong with an integer that would be rounded, for who must not change it.
std::string rounding(const std::string& digits);

/// Tells where a byte of `text` stands.
text_place place_of(std::string_view text, std::size_t byte);

} // namespace troupe::graph_json
