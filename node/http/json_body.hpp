#pragma once

#include "node/http/problem.hpp"

#include <optional>

/// Bodies that are one JSON value. Pure; any thread.
namespace troupe::http {

/// The JSON of a whole body.
struct json_body {
  value content{};
  std::optional<std::string> malformed{}; ///< What is wrong, with the byte.
  problems errors{};                      ///< Integers that would lose digits.
};
json_body read_json_body(std::string_view text);

/// The answer to a body that cannot be taken; nothing if it can.
std::optional<response> refusal_of(const json_body& x);

} // namespace troupe::http
