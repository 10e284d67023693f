#pragma once

#include "actors/kinds/attempt_runner.hpp"
#include "core/attempt_clock.hpp"

namespace troupe::actors {

/// The report of an attempt that ended by `why`, not `none`: its limits, or a cancel. `at_hard`:
/// what the hard limit did to it, as "killed".
attempt_report early_report(core::early_end why, const timeouts_spec& limits,
                            std::string_view at_hard);

/// The report of an attempt that was cancelled.
attempt_report cancelled_report();

} // namespace troupe::actors
