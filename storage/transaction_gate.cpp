#include "storage/transaction_gate.hpp"

namespace troupe::storage {

transaction_gate::ticket transaction_gate::enter() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return !closed_; });
  return since_.insert(since_.end(), clock::now());
}

void transaction_gate::leave(ticket x) {
  {
    std::scoped_lock lock{mutex_};
    since_.erase(x);
    if (!closed_)
      return;
  }
  changed_.notify_all();
}

bool transaction_gate::close(std::chrono::milliseconds patience) {
  std::unique_lock lock{mutex_};
  auto until = clock::now() + patience;
  if (!changed_.wait_until(lock, until, [this] { return !closed_; }))
    return false;
  closed_ = true;
  if (changed_.wait_until(lock, until, [this] { return since_.empty(); }))
    return true;
  closed_ = false;
  lock.unlock();
  changed_.notify_all();
  return false;
}

void transaction_gate::open() {
  {
    std::scoped_lock lock{mutex_};
    closed_ = false;
  }
  changed_.notify_all();
}

std::size_t transaction_gate::inside() const {
  std::scoped_lock lock{mutex_};
  return since_.size();
}

transaction_gate::clock::duration transaction_gate::oldest() const {
  std::scoped_lock lock{mutex_};
  return since_.empty() ? clock::duration::zero() : clock::now() - since_.front();
}

} // namespace troupe::storage
