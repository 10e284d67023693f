#pragma once

#include "actors/kinds/unique_fd.hpp"

#include <cstdint>
#include <mutex>
#include <sys/eventfd.h>
#include <system_error>
#include <utility>
#include <vector>

namespace troupe::actors {

/// Work for one thread that sleeps in poll(2). Any thread may push, one thread takes.
template <class T>
class wake_queue {
public:
  /// Throws `std::system_error` if there is no descriptor left.
  wake_queue() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!fd_)
      throw std::system_error(errno, std::generic_category(), "eventfd");
  }

  /// Adds `x` and wakes the thread that polls `fd`.
  void push(T x) {
    {
      std::lock_guard lock{mutex_};
      items_.push_back(std::move(x));
    }
    std::uint64_t one = 1;
    [[maybe_unused]] auto n = ::write(fd_.get(), &one, sizeof one);
  }

  /// All that was pushed since, in order.
  std::vector<T> take() {
    std::uint64_t count;
    [[maybe_unused]] auto n = ::read(fd_.get(), &count, sizeof count);
    std::lock_guard lock{mutex_};
    return std::exchange(items_, {});
  }

  /// Readable while there is something to take.
  int fd() const noexcept { return fd_.get(); }

private:
  unique_fd fd_;
  std::mutex mutex_;
  std::vector<T> items_;
};

} // namespace troupe::actors
