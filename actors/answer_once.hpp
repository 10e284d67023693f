#pragma once

#include "troupe/error.hpp"

#include <atomic>
#include <functional>
#include <memory>

namespace troupe::actors {

/// A callback that answers in any case: its first call calls `then`; if every copy goes without a
/// call, as in the mailbox of a shard that failed, `then` is told `not_ready`. Thread-safe.
template <class T>
std::function<void(const T&)> answered(std::function<void(const T&)> then) {
  struct once {
    std::function<void(const T&)> then;
    std::atomic<bool> called{false};

    void call(const T& x) {
      if (!called.exchange(true))
        then(x);
    }
    ~once() {
      try {
        call(error{ec::not_ready, "the shard ended or failed while it had the request, which may "
                                  "have been done; look, then repeat it"});
      } catch (...) { // Whoever is told here has nobody to throw to.
      }
    }
  };
  auto x = std::make_shared<once>();
  x->then = std::move(then);
  return [x](const T& answer) { x->call(answer); };
}

} // namespace troupe::actors
