#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe::http {

inline constexpr std::size_t work_waiting_bytes_max = 64 << 20; ///< Of the requests that wait.

/// Threads for what reads or waits for the disk. Bounded: more than `waiting_max` tasks are
/// refused, but for those that are posted with `always`. The two kinds are begun in turn, so that
/// neither waits for all of the other. Thread-safe, but for `end` and the destructor.
class work_pool {
public:
  work_pool(unsigned threads, std::size_t waiting_max);
  /// As `end`. Not on one of its own threads: whoever shares it with its tasks calls `end` before.
  ~work_pool();
  work_pool(const work_pool&) = delete;
  work_pool& operator=(const work_pool&) = delete;

  /// Has `task`, which must not throw and holds this many bytes, done on one of the threads. False:
  /// too much waits; with `always` it is taken and counts for nothing, being bounded elsewhere.
  /// After `drop` it is false in any case.
  bool post(std::function<void()> task, bool always = false, std::size_t bytes = 0);

  /// How much waits, without what was posted with `always`.
  struct load {
    std::size_t tasks = 0, bytes = 0;
    std::size_t always = 0; ///< Tasks that count for nothing.
  };
  load waiting() const;

  /// Takes no more, and drops what waits.
  void drop();
  /// The same, and waits for the tasks that go on.
  void end();

private:
  struct task {
    std::function<void()> act;
    std::size_t bytes = 0;
  };

  void run(const std::stop_token& stop);
  task take();

  std::size_t waiting_max_;
  mutable std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<task> tasks_, always_;
  std::size_t bytes_ = 0; ///< Of `tasks_`.
  bool always_next_ = false;
  bool dropped_ = false;
  std::vector<std::jthread> threads_;
};

} // namespace troupe::http
