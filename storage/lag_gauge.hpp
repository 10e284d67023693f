#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace troupe::storage {

/// What of durable batches no snapshot holds yet, of all shards together. Thread-safe.
class lag_gauge {
public:
  void add(std::size_t bytes, std::size_t records);
  void drop(std::size_t bytes, std::size_t records);
  std::uint64_t bytes() const;
  std::uint64_t records() const;

  /// Waits until there are `enough` bytes, or any for as long as `age`. False if `stop` came first.
  bool wait(std::stop_token stop, std::size_t enough, std::chrono::milliseconds age);

  /// Waits for this long. False if `stop` came first.
  bool pause(std::stop_token stop, std::chrono::milliseconds time);

private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t bytes_ = 0, records_ = 0;
  std::uint64_t wanted_ = 1; ///< Whoever waits is woken when there are so many.
};

} // namespace troupe::storage
