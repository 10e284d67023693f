#pragma once

#include "troupe/limits.hpp"

#include <future>
#include <sys/resource.h>

namespace troupe::storage {

/// Calls `f` on a thread of its own which, with all that it starts, leaves the processors to
/// whoever else has work for them, and waits for what it returns or throws.
template <class F>
auto giving_way(F f) {
  return std::async(std::launch::async,
                    [&] {
                      (void)::setpriority(PRIO_PROCESS, 0,
                                          limits::copy_niceness); // Of this thread alone.
                      return f();
                    })
      .get();
}

} // namespace troupe::storage
