#pragma once

#include "troupe/error.hpp"
#include "troupe/job_spec.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace troupe::messages {

/// Who waits for the end of a job: a callback that is called at most once, and that its owner can
/// take back. Copies are the same waiter. Thread-safe.
class end_waiter {
public:
  using callback = std::function<void(const result<job_info>&)>;

  end_waiter() = default;
  end_waiter(callback done) : shared_(std::make_shared<shared>()) {
    shared_->done = std::move(done);
  }

  /// Calls back, unless that was done or taken back.
  void operator()(const result<job_info>& x) const {
    if (auto done = take(shared_))
      done(x);
  }

  /// Takes the callback back when it is called. It does not keep the waiter alive.
  std::function<void()> taker() const {
    return [weak = std::weak_ptr{shared_}] { take(weak.lock()); };
  }

  /// Whether there is nobody left to tell.
  bool over() const {
    if (!shared_)
      return true;
    std::scoped_lock lock{shared_->mutex};
    return !shared_->done;
  }

private:
  struct shared {
    std::mutex mutex;
    callback done;
  };

  static callback take(const std::shared_ptr<shared>& from) {
    if (!from)
      return {};
    std::scoped_lock lock{from->mutex};
    return std::exchange(from->done, {});
  }

  std::shared_ptr<shared> shared_;
};

} // namespace troupe::messages
