#pragma once

#include "node/errors.hpp"
#include "troupe/value.hpp"

#include <functional>
#include <string_view>

namespace troupe::node {

/// How a command shows what it found.
enum class format { table, json, ndjson };

/// Standard output for results, standard error for people. One thread at a time.
class console {
public:
  /// Looks at what the streams are, and at `NO_COLOR` and `TERM`.
  console();

  bool out_is_terminal() const noexcept { return out_is_terminal_; }
  /// Whether standard error is a terminal that can move its cursor.
  bool can_draw() const noexcept { return can_draw_; }
  bool colours() const noexcept { return colours_; }
  /// Whether the locale's characters are UTF-8.
  bool utf8() const noexcept { return utf8_; }
  /// Characters in a line of standard error.
  std::size_t width() const;

  /// Results. False once they cannot be written.
  bool out(std::string_view text);
  /// One JSON document: over several lines for people, else on one line.
  bool out_json(const value& x);
  /// One JSON line.
  bool out_line(const value& x);
  /// Hands on what was written to standard output. False if it could not all be written.
  bool flush();

  /// News and complaints. What cannot be written is lost. Any thread.
  void err(std::string_view text);
  /// From now on `other` gets what `err` is told; without it standard error does again. While no
  /// other thread is in here.
  void set_err(std::function<void(std::string_view)> other) { err_ = std::move(other); }
  /// Shows the trouble, returns its exit code.
  int fail(const trouble& x);

private:
  bool out_is_terminal_ = false, can_draw_ = false, colours_ = false, utf8_ = false;
  std::function<void(std::string_view)> err_;
};

} // namespace troupe::node
