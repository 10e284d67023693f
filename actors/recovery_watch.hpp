#pragma once

#include "troupe/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace troupe::actors {

/// Waits until every shard has said whether it could be recovered. Copies are the same watch.
/// Thread-safe.
class recovery_watch {
public:
  recovery_watch();

  /// One more shard is waited for. It says how it went by the first call of what is returned.
  std::function<void(const status&)> expect();

  /// Whoever has not said anything never will.
  void give_up(const error& why);

  /// Returns when all have said that they have recovered, or one that it could not. `progress` is
  /// a number that changes while a recovery gets on. Errors: theirs; `timed_out` if nothing has
  /// changed for `idle_max`.
  status wait(std::chrono::milliseconds idle_max, const std::function<std::uint64_t()>& progress);

private:
  struct shared;
  std::shared_ptr<shared> shared_;
};

} // namespace troupe::actors
