#pragma once

#include "storage/blob_store.hpp"
#include "storage/view.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace troupe::storage {

/// What is swept, and by what is told what stays.
struct sweep_parts {
  std::shared_ptr<blob_store> blobs;
  std::vector<std::shared_ptr<view>> views; ///< Of all shards.
  /// Waits until all that was recorded before the call is durable, and so in the views. Errors: if
  /// it does not become so in time. May be empty: then nothing is ever on its way.
  std::function<status()> settle;
  std::chrono::milliseconds interval = limits::sweep_interval;
  std::chrono::milliseconds retry = limits::sweep_retry; ///< After one that could not be made.
  /// Told of trouble, once each time that it changes. Any thread. May be empty.
  std::function<void(const error&)> report;
};

/// What was swept since the start.
struct sweep_state {
  std::uint64_t sweeps = 0, blobs = 0, bytes = 0; ///< The latter two were removed.
  status trouble;                                 ///< Why the last sweep was not made.
};

/// Removes, again and again, the blobs that no job and no message names any more: those of deleted
/// jobs, and what a crash left. `state` is thread-safe.
class blob_sweeper {
public:
  explicit blob_sweeper(sweep_parts parts) : parts_(std::move(parts)) {}
  ~blob_sweeper() { stop(); }

  /// Sweeps all there is once, as of `now`; `stop` ends it early. Thread-safe. Errors: those of
  /// `blob_store::sweep`, of the views and of `settle`.
  status step(blob_time now);

  /// Starts the thread that sweeps at each interval, first after one.
  void start();
  void stop();

  sweep_state state() const;

private:
  status mark(const blob_store::named& named) const;
  void run(const std::stop_token& stop);
  void tell(const status& outcome);

  sweep_parts parts_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::condition_variable_any woken_;
  sweep_state state_;
  std::jthread thread_;
};

} // namespace troupe::storage
