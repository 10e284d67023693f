#pragma once

#include "troupe/error.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace troupe::http {

/// What many ask for at once, and what is costly to tell: one run at a time, and all who ask while
/// one goes on share the next. So they are as many as ask, and never more than one run. Owned by
/// shared pointers. Thread-safe.
template <class Answer>
class shared_run : public std::enable_shared_from_this<shared_run<Answer>> {
public:
  using taken = std::function<void(const result<Answer>&)>;

  /// One run, for those who had asked when it began. They are told when it goes, on its thread:
  /// `answer`, which is `not_ready` until someone sets it.
  class round {
  public:
    round(std::shared_ptr<shared_run> in, std::vector<taken> all)
        : in_(std::move(in)), all_(std::move(all)) {}
    ~round() {
      for (auto& x : all_)
        x(answer);
      in_->end();
    }
    round(const round&) = delete;
    round& operator=(const round&) = delete;

    result<Answer> answer = ec::not_ready;

  private:
    std::shared_ptr<shared_run> in_;
    std::vector<taken> all_;
  };
  using round_ptr = std::shared_ptr<round>;

  /// `run` lets its round go when it has the answer, on any thread. Who asks when it has been at it
  /// for `patience` is turned away.
  explicit shared_run(
      std::function<void(round_ptr)> run,
      std::chrono::steady_clock::duration patience = std::chrono::steady_clock::duration::max())
      : run_(std::move(run)), patience_(patience) {}

  /// Has `then` called once. False, and it never is: the run that goes on takes too long.
  bool ask(taken then) {
    {
      std::scoped_lock lock{mutex_};
      if (running_ && std::chrono::steady_clock::now() - begun_ > patience_)
        return false;
      waiting_.push_back(std::move(then));
      if (std::exchange(running_, true))
        return true;
    }
    begin();
    return true;
  }

private:
  /// For who has set `running_`.
  void begin() {
    std::unique_lock lock{mutex_};
    begun_ = std::chrono::steady_clock::now();
    auto all = std::exchange(waiting_, {});
    lock.unlock();
    run_(std::make_shared<round>(this->shared_from_this(), std::move(all)));
  }

  void end() {
    {
      std::scoped_lock lock{mutex_};
      running_ = !waiting_.empty();
      if (!running_)
        return;
    }
    begin();
  }

  const std::function<void(round_ptr)> run_;
  const std::chrono::steady_clock::duration patience_;
  std::mutex mutex_;
  std::vector<taken> waiting_; ///< For the next run.
  bool running_ = false;
  std::chrono::steady_clock::time_point begun_{}; ///< When the last run did.
};

} // namespace troupe::http
