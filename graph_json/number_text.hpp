#pragma once

#include <string>

namespace troupe::graph_json {

/// Appends the shortest text that reads back as the same double, recognisable as no integer
/// (`1.0`, `1e+21`); null for NaN and infinity.
void append_number(double x, std::string& out);

/// Appends a double as ECMAScript's `Number::toString` writes it (RFC 8785, section 3.2.2.3);
/// null for NaN and infinity.
void append_ecmascript_number(double x, std::string& out);

} // namespace troupe::graph_json
