#pragma once

#include "node/client/transport.hpp"

/// What a node refuses, as the program tells it. Pure.
namespace troupe::client {

/// What an answer that is no success means: the number, the reason and the next step are those of
/// its problem object, the exit code is that of the number. Faults: also `strange_answer` for an
/// answer that is no problem object, `refused_by_node` for a number that is not known here.
trouble refusal_of(const endpoint& at, const reply& x);

/// Whether the same request may be answered after a while.
bool may_pass(const trouble& x) noexcept;

} // namespace troupe::client
