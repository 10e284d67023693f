#pragma once

#include "actors/kinds/function_call.hpp"
#include "actors/kinds/function_runner.hpp"
#include "actors/kinds/waiting_line.hpp"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

namespace troupe::actors {

/// The threads that call functions, and the one that watches their time. Threads that were given up
/// share it until their calls return. Thread-safe.
class function_pool : public std::enable_shared_from_this<function_pool> {
public:
  using call = std::shared_ptr<function_call>;

  explicit function_pool(function_options options);

  /// Starts the threads.
  void open();
  /// Ends them; every call is reported.
  void close();

  void add(call x);
  void cancel(core::token proof, core::duration grace);
  /// How many calls go on, but for those that were given up.
  runner_use use() const;

private:
  using clock = function_call::clock;
  using guard_lock = std::unique_lock<std::mutex>;

  /// What has to be done without the lock: both run code of others.
  struct orders {
    std::vector<call> ask;
    std::vector<std::pair<call, attempt_report>> report;
    void carry_out();
  };

  void work();
  bool run_next(guard_lock& lock);
  void keep_time();
  std::optional<clock::time_point> next_deadline() const;
  void obey(const call& x, core::attempt_clock::step due, orders& out);
  void abandon(const call& x, orders& out);
  void start_missing();
  void refuse_if_stuck(orders& out);

  const std::size_t threads_max_, abandoned_max_;
  const core::duration close_max_;
  mutable std::mutex mutex_;
  std::condition_variable work_, time_, idle_;
  waiting_line<call> waiting_;
  std::set<call> running_;
  std::map<std::thread::id, std::thread> threads_;
  std::thread timekeeper_;
  std::size_t abandoned_ = 0;
  bool closing_ = false;
};

} // namespace troupe::actors
