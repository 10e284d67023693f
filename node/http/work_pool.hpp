#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe::http {

/// Threads for what reads or waits for the disk. Bounded: more than `waiting_max` tasks are
/// refused. Thread-safe.
class work_pool {
public:
  work_pool(unsigned threads, std::size_t waiting_max);
  /// Does what was taken, then ends.
  ~work_pool();
  work_pool(const work_pool&) = delete;
  work_pool& operator=(const work_pool&) = delete;

  /// Has `task`, which must not throw, done on one of the threads. False: too many wait; `always`
  /// counts for none, being bounded elsewhere.
  bool post(std::function<void()> task, bool always = false);

private:
  void run(const std::stop_token& stop);

  std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::jthread> threads_;
};

} // namespace troupe::http
