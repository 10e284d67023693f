#include "actors/task_thread.hpp"

namespace troupe::actors {

bool task_thread::post(std::function<void()> task, bool always) {
  {
    std::scoped_lock lock{mutex_};
    if (!always && tasks_.size() >= most_)
      return false;
    tasks_.push_back(std::move(task));
  }
  arrived_.notify_one();
  return true;
}

void task_thread::run(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  while (arrived_.wait(lock, stop, [this] { return !tasks_.empty(); })) {
    auto next = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    next();
    next = {};
    lock.lock();
  }
}

} // namespace troupe::actors
