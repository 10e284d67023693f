#pragma once

#include "troupe/problem.hpp"
#include "troupe/value.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::core {

/// A compiled `when`: total, without effects, linear in the size of condition and value.
///
/// Written as JSON. A test is an object with one operator and, optionally, `path` (a JSON Pointer,
/// RFC 6901, into the output; default: all of it):
/// `{"path": "/status", "eq": "ok"}`. Operators: `eq`, `ne`, `lt`, `le`, `gt`, `ge` (two numbers or
/// two strings), `in` (a list), `contains` (part of a string, element of a list, key of an object),
/// `starts_with`, `ends_with` (strings), `exists` (true or false), `is` (the name of a type).
/// `eq`, `ne`, `contains`, `starts_with` and `ends_with` with a string take `"ignore_case": true`
/// (ASCII letters only). Combined by `{"and": [...]}`, `{"or": [...]}`, `{"not": {...}}`. `true`
/// and `false` are conditions, too.
///
/// A path that leads nowhere and operands that cannot be compared make a test false (`ne` true);
/// integers and numbers compare by value: `is: "number"` holds of both, `is: "integer"` of each
/// without a fraction.
class condition {
public:
  /// Whether the condition holds of `output`.
  bool holds(const value& output) const;

  /// Compiles `written`, which stands at `pointer`; what is wrong goes to `errors`, and nothing
  /// is returned. At most `limits::value_depth_max` conditions may lie in each other.
  static std::optional<condition> compile(const value& written, const std::string& pointer,
                                          problems& errors);

  /// A part of a condition; only its compiler and its evaluator look inside.
  struct node;

private:
  std::shared_ptr<const node> root_;
};

} // namespace troupe::core
