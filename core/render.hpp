#pragma once

#include "core/job.hpp"
#include "troupe/event.hpp"

#include <functional>

namespace troupe::core {

/// Takes one event; false stops the rendering.
using event_sink = std::function<bool(event&&)>;

/// Tells `r`, which has just been applied to `x`, as events with their numbers, of which there are
/// `events_of(r, seen)`. Frozen by golden files: an event stays what it was.
bool render(const job& x, const record& r, const changes& seen, const event_sink& sink);

/// How many ids `vertices_sorted` lists at most.
inline constexpr std::size_t sorted_ids_max = 1000;

} // namespace troupe::core
