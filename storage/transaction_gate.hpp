#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>

namespace troupe::storage {

/// Counts the open transactions of a store and keeps new ones out while the map changes its size:
/// memory that a transaction shows must not move. Thread-safe.
class transaction_gate {
public:
  using clock = std::chrono::steady_clock;
  using ticket = std::list<clock::time_point>::iterator;

  /// Waits while the gate is closed. Each ticket is given back by `leave`, on any thread.
  ticket enter();
  void leave(ticket x);

  /// Keeps everyone out and waits until all have left; then `open` ends it. False, and open again,
  /// if some are still inside after `patience`.
  bool close(std::chrono::milliseconds patience);
  void open();

  std::size_t inside() const;
  /// How long the oldest has been inside; zero if nobody is.
  clock::duration oldest() const;

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<clock::time_point> since_;
  bool closed_ = false;
};

} // namespace troupe::storage
