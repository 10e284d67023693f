#pragma once

#include <chrono>
#include <optional>
#include <poll.h>
#include <vector>

namespace troupe::actors {

/// Sleeps until one of `waits` is ready or `deadline` has passed; none: as long as it takes.
/// Descriptors of -1 are left out.
void poll_until(std::vector<pollfd>& waits,
                std::optional<std::chrono::steady_clock::time_point> deadline);

/// For a service thread: signals are for others, and a broken pipe is an error code.
void block_all_signals();

} // namespace troupe::actors
