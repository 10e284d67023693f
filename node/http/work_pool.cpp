#include "node/http/work_pool.hpp"

#include "storage/own_thread.hpp"

#include <algorithm>
#include <cassert>

namespace troupe::http {

work_pool::work_pool(unsigned threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
  for (unsigned i = 0; i < threads; ++i)
    threads_.push_back(storage::own_thread([this](std::stop_token stop) { run(stop); }));
}

work_pool::~work_pool() { end(); }

void work_pool::drop() {
  std::deque<task> gone, gone_too; // They go without the lock: what they hold may post.
  std::scoped_lock lock{mutex_};
  dropped_ = true;
  bytes_ = 0;
  gone.swap(tasks_);
  gone_too.swap(always_);
}

void work_pool::end() {
  drop();
  assert(std::ranges::none_of(threads_,
                              [](auto& x) { return x.get_id() == std::this_thread::get_id(); }));
  for (auto& x : threads_)
    x.request_stop();
  threads_.clear();
}

bool work_pool::post(std::function<void()> act, bool always, std::size_t bytes) {
  {
    std::scoped_lock lock{mutex_};
    auto full =
        tasks_.size() >= waiting_max_ || (bytes_ > 0 && bytes_ + bytes > work_waiting_bytes_max);
    if (dropped_ || (full && !always))
      return false;
    if (!always)
      bytes_ += bytes;
    (always ? always_ : tasks_).push_back({std::move(act), bytes});
  }
  arrived_.notify_one();
  return true;
}

work_pool::load work_pool::waiting() const {
  std::scoped_lock lock{mutex_};
  return {tasks_.size(), bytes_, always_.size()};
}

void work_pool::run(const std::stop_token& stop) {
  for (std::unique_lock lock{mutex_};;) {
    if (!arrived_.wait(lock, stop, [this] { return !tasks_.empty() || !always_.empty(); }))
      return;
    auto next = take();
    lock.unlock();
    next.act();
    next = {};
    lock.lock();
  }
}

/// With the lock; there is one.
work_pool::task work_pool::take() {
  auto always = tasks_.empty() || (always_next_ && !always_.empty());
  auto& from = always ? always_ : tasks_;
  auto next = std::move(from.front());
  from.pop_front();
  if (!always)
    bytes_ -= next.bytes;
  always_next_ = !always;
  return next;
}

} // namespace troupe::http
