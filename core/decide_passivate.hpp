#pragma once

#include "core/decide.hpp"

namespace troupe::core {

/// What wakes a job that waits for nothing but time.
struct rest {
  shard_time wake_at{}; ///< Its next due time; zero: it is paused, only a request wakes it.
};

/// Whether the job waits for time alone, and until when: all that runs are timers and back-offs, or
/// it is paused and no attempt runs. Nothing if it is not so, or if it has not begun.
std::optional<rest> rest_of(const job& x);

/// How long a rest must be to be worth it: `limits::passivation_min`, more if the job is large,
/// because it is read from the store again when it wakes.
duration rest_min(const job& x);

/// Gives up the job's actor if a long enough rest lies ahead. Empty if it goes on.
record_group decide_passivate(const job& x, shard_time now);

} // namespace troupe::core
