#pragma once

#include "node/console.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace troupe::node {

/// A size for people: `17 bytes`, `1.2 kB`, `34 MB`; powers of ten.
std::string size_text(std::uint64_t bytes);

/// Tells on a terminal how far a long command has come: one line, drawn anew. One thread.
class progress_line {
public:
  explicit progress_line(console& to) : to_(to) {}
  ~progress_line() { clear(); }
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  /// `total`: 0 if nobody knows it.
  void tell(const char* part, std::uint64_t bytes, std::uint64_t total);
  void clear();

private:
  console& to_;
  std::string part_;
  std::chrono::steady_clock::time_point drawn_{};
  bool there_ = false;
};

/// Results are on their way out; the exit code.
int flushed(console& to, exit_code code = exit_code::ok);
/// The same of a verb that has changed something, which is not to be repeated: `next` says what the
/// user can do if they did not come out.
int flushed(console& to, std::string next);

/// One document or one line, as `how` says, which is not `table`.
void show(console& to, const value& x, format how);

} // namespace troupe::node
