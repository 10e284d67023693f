#pragma once

#include "node/security/roles.hpp"

/// What roles may do, for people. Pure.
namespace troupe::node {

/// `manage keys`, `make jobs`, …
std::string_view words_of(action x) noexcept;

/// Why a role is refused, and which roles are not: ``the key has the role `viewer`, which may not
/// make jobs; `operator` or `admin` may``. `more` stands behind the action.
std::string denial(role who, action what, std::string_view more = {});

} // namespace troupe::node
