#pragma once

#include "troupe/caf.hpp"

namespace troupe::actors {

/// The categories of the errors that a host's actors get and give.
inline constexpr caf::atom_value runtime_category = caf::atom("troupe");
inline constexpr caf::atom_value failure_category = caf::atom("failure");

/// The same error for an actor; `code_of` has its code again.
caf::error to_caf(const error& x);

/// Why an actor of the host did not run its attempt.
problem problem_of(const caf::actor_system& system, const caf::error& x);

} // namespace troupe::actors
