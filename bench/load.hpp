#pragma once

#include "bench/measure.hpp"
#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

#include <condition_variable>
#include <mutex>
#include <stdexcept>

namespace troupe::bench {

/// What came of a call that must not fail.
template <class T>
T must(result<T> x) {
  if (!x)
    throw std::runtime_error{std::string{to_string(x.code())} + ": " + x.error().detail};
  return std::move(*x);
}

inline void must(const status& x) {
  if (!x)
    throw std::runtime_error{std::string{to_string(x.code())} + ": " + x.error().detail};
}

/// `length` vertices, one after another.
inline graph_spec chain(std::size_t length, const std::string& kind, const value::object& config) {
  graph_builder graph{"chain"};
  for (std::size_t i = 0; i < length; ++i) {
    graph.add("v" + std::to_string(i), kind, config);
    if (i > 0)
      graph.connect("v" + std::to_string(i - 1), "v" + std::to_string(i));
  }
  return graph.build();
}

/// As `runtime::submit` with two callbacks.
using submit_call = std::function<void(const job_spec&, runtime::accepted, runtime::ended)>;

/// Keeps at most `window` jobs on their way: to their end, or only until they are durable.
class job_stream {
public:
  enum class until { accepted, ended };

  job_stream(submit_call submit, std::size_t window, until what = until::ended)
      : submit_(std::move(submit)), window_(window), until_(what) {}

  /// Waits for room, then submits.
  void put(const job_spec& spec) {
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return under_way_ < window_; });
      ++under_way_;
    }
    submit_(
        spec,
        [this](const result<job_id>& x) {
          if (!x || until_ == until::accepted)
            leave(x.code());
        },
        until_ == until::ended ? [this](const result<job_info>& x) { leave(x.code()); }
                               : runtime::ended{});
  }

  /// Waits until none is on its way.
  void drain() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return under_way_ == 0; });
  }

  std::size_t done() const {
    std::scoped_lock lock{mutex_};
    return done_;
  }
  std::size_t refused() const {
    std::scoped_lock lock{mutex_};
    return refused_;
  }

private:
  void leave(ec code) {
    std::scoped_lock lock{mutex_};
    --under_way_;
    ++(code == ec::none ? done_ : refused_);
    changed_.notify_one();
  }

  submit_call submit_;
  std::size_t window_;
  until until_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t under_way_ = 0, done_ = 0, refused_ = 0;
};

} // namespace troupe::bench
