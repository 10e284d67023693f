#pragma once

#include "node/console.hpp"

#include <string>

namespace troupe::node {

/// `0.1.0`.
std::string version_number();
/// `troupe 0.1.0`.
std::string version_line();

/// The verb `version`: what was built, and with what.
int show_version(console& to, format how);

} // namespace troupe::node
