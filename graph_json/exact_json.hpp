#pragma once

#include "troupe/error.hpp"
#include "troupe/problem.hpp"
#include "troupe/value.hpp"

#include <string_view>

/// JSON that must not be changed by being read. Pure; any thread.
namespace troupe::graph_json {

/// A value, and where it has not all the digits that its text has.
struct exact_value {
  value content;
  problems rounded; ///< `out_of_range`, each with its JSON Pointer.
};

/// As `parse_value`, and tells integers beyond 64 bits that lose digits. `outer`: see `read_json`.
/// Errors: `invalid_spec`.
result<exact_value> parse_exact(std::string_view text, std::size_t outer = 0);

} // namespace troupe::graph_json
