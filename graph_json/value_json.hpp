#pragma once

#include "troupe/error.hpp"
#include "troupe/value.hpp"

#include <string>
#include <string_view>

/// JSON text (RFC 8259) from and to `value`. Pure; any thread. Nothing depends on the locale.
namespace troupe::graph_json {

/// Reads one JSON text. Integers beyond 64 bits become numbers. Also refused: an object that has a
/// key twice, nesting deeper than `limits::value_depth_max`, ill-formed UTF-8, `NaN`, a number too
/// large for a double, anything after the value.
/// Errors: `invalid_spec`; the detail has line, column, byte offset and what was expected.
result<value> parse_value(std::string_view text);

/// Reads one value a line; empty lines do not count. Integers must not lose digits.
/// Errors: `invalid_spec`; line and byte offset are those of the whole text.
result<value::list> parse_ndjson(std::string_view text);

/// Writes a value on one line, keys in order of bytes. `parse_value` gives an equal value back, but
/// for what JSON cannot say: NaN and infinity become null, ill-formed UTF-8 becomes U+FFFD.
std::string to_json(const value& x);

/// The same over several lines, indented by two spaces.
std::string to_json_pretty(const value& x);

/// Writes a value as RFC 8785 (JCS) wants it: keys in order of UTF-16 code units, numbers as
/// ECMAScript writes them (`1.0` is `1`). Integers beyond 2^53, of which RFC 8785 knows nothing,
/// stay exact. NaN, infinity and ill-formed UTF-8: as `to_json`.
std::string canonical(const value& x);

/// Appends what `canonical` returns.
void append_canonical(const value& x, std::string& out);

/// What reading `canonical(x)` gives: the integer 1 for 1.0, null for NaN and infinity.
value normal(double x);

} // namespace troupe::graph_json
