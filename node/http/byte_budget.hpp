#pragma once

#include "troupe/limits.hpp"

#include <algorithm>
#include <atomic>

namespace troupe::http {

/// Bytes that the requests, or the answers, of a server hold, all together. Thread-safe.
class byte_budget {
public:
  /// False, and nothing is taken: there would be more than `most`.
  bool take(std::size_t bytes, std::size_t most) {
    auto now = taken_.load();
    do {
      if (bytes > most || now > most - bytes)
        return false;
    } while (!taken_.compare_exchange_weak(now, now + bytes));
    return true;
  }
  /// The same for what may be larger than `most` while nothing else is taken.
  bool take_alone(std::size_t bytes, std::size_t most) {
    std::size_t none = 0;
    return taken_.compare_exchange_strong(none, bytes) || take(bytes, most);
  }
  /// Takes so many in any case.
  void take_all(std::size_t bytes) { taken_ += bytes; }
  void give_back(std::size_t bytes) { taken_ -= bytes; }
  std::size_t taken() const noexcept { return taken_; }

private:
  std::atomic<std::size_t> taken_{0};
};

/// What one request holds of it, until this goes. A quarter of all is left to small requests, which
/// large ones that come slowly cannot keep out. One caller at a time; the budget outlives it.
class held_bytes {
public:
  held_bytes(byte_budget& of, std::size_t most) : of_(of), most_(most) {}
  ~held_bytes() { of_.give_back(held_); }
  held_bytes(const held_bytes&) = delete;
  held_bytes& operator=(const held_bytes&) = delete;

  /// Holds so many from now on. False, and it holds as many as before: there is no room. Fewer can
  /// always be held.
  bool hold(std::size_t bytes) {
    auto room = bytes > limits::http_small_body_bytes ? most_ - most_ / 4 : most_;
    if (bytes > held_ && !of_.take(bytes - held_, room))
      return false;
    if (bytes < held_)
      of_.give_back(held_ - bytes);
    held_ = bytes;
    return true;
  }

private:
  byte_budget& of_;
  const std::size_t most_;
  std::size_t held_ = 0;
};

/// What one answer holds of it, until this goes. One caller; the budget outlives it.
class held_answer {
public:
  explicit held_answer(byte_budget& of) : of_(of) {}
  ~held_answer() { of_.give_back(held_); }
  held_answer(const held_answer&) = delete;
  held_answer& operator=(const held_answer&) = delete;

  /// Holds so many, once. False: there is no room; `must`: that does not matter.
  bool hold(std::size_t bytes, std::size_t most, bool must) {
    if (must)
      of_.take_all(bytes);
    else if (!of_.take_alone(bytes, most))
      return false;
    held_ = bytes;
    return true;
  }

private:
  byte_budget& of_;
  std::size_t held_ = 0;
};

} // namespace troupe::http
