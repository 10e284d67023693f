#include "node/http/work_pool.hpp"

#include "storage/own_thread.hpp"

namespace troupe::http {

work_pool::work_pool(unsigned threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
  for (unsigned i = 0; i < threads; ++i)
    threads_.push_back(storage::own_thread([this](std::stop_token stop) { run(stop); }));
}

work_pool::~work_pool() {
  for (auto& x : threads_)
    x.request_stop();
  threads_.clear();
}

bool work_pool::post(std::function<void()> task, bool always) {
  {
    std::scoped_lock lock{mutex_};
    if (!always && tasks_.size() >= waiting_max_)
      return false;
    tasks_.push_back(std::move(task));
  }
  arrived_.notify_one();
  return true;
}

void work_pool::run(const std::stop_token& stop) {
  for (std::unique_lock lock{mutex_};;) {
    if (!arrived_.wait(lock, stop, [this] { return !tasks_.empty(); }))
      return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = {};
    lock.lock();
  }
}

} // namespace troupe::http
