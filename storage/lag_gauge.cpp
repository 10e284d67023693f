#include "storage/lag_gauge.hpp"

#include <cassert>

namespace troupe::storage {

void lag_gauge::add(std::size_t bytes, std::size_t records) {
  std::unique_lock lock{mutex_};
  auto before = bytes_;
  bytes_ += bytes;
  records_ += records;
  auto wake = before < wanted_ && bytes_ >= wanted_;
  lock.unlock();
  if (wake)
    changed_.notify_all();
}

void lag_gauge::drop(std::size_t bytes, std::size_t records) {
  std::scoped_lock lock{mutex_};
  assert(bytes <= bytes_ && records <= records_);
  bytes_ -= bytes;
  records_ -= records;
}

std::uint64_t lag_gauge::bytes() const {
  std::scoped_lock lock{mutex_};
  return bytes_;
}

std::uint64_t lag_gauge::records() const {
  std::scoped_lock lock{mutex_};
  return records_;
}

bool lag_gauge::wait(std::stop_token stop, std::size_t enough, std::chrono::milliseconds age) {
  std::unique_lock lock{mutex_};
  wanted_ = 1;
  changed_.wait(lock, stop, [this] { return bytes_ > 0; });
  wanted_ = enough;
  changed_.wait_for(lock, stop, age, [&] { return bytes_ >= enough; });
  return !stop.stop_requested();
}

bool lag_gauge::pause(std::stop_token stop, std::chrono::milliseconds time) {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

} // namespace troupe::storage
