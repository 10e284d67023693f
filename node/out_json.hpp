#pragma once

#include "node/console.hpp"

namespace troupe::node {

/// JSON text as a result; on a terminal no character of it can steer that. False once it cannot be
/// written.
bool out_json_text(console& to, std::string_view json);

} // namespace troupe::node
