#pragma once

#include "storage/own_thread.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace troupe::actors {

/// A thread that does in order what actors may not wait for. Thread-safe.
class task_thread {
public:
  explicit task_thread(std::size_t most) : most_(most) {}
  /// Does what has arrived, then ends. Not from a task.
  ~task_thread() = default;

  /// Has `task` done. False: too many wait; `always` counts for none.
  bool post(std::function<void()> task, bool always = false);

private:
  void run(const std::stop_token& stop);

  std::size_t most_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<std::function<void()>> tasks_;
  /// The last member: it ends first.
  std::jthread thread_ = storage::own_thread([this](std::stop_token stop) { run(stop); });
};

} // namespace troupe::actors
