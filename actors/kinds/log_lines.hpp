#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace troupe::actors {

/// Makes log pieces from the bytes of a stream: whole lines, their newlines included, so that
/// pieces one after another are the text again. Lines that arrive at once are one piece, as far as
/// they fit into `line_bytes_max`; a longer line comes in several. Bytes that are not UTF-8 become
/// U+FFFD. After `bytes_max` in all, one piece says that the rest is not kept.
class log_lines {
public:
  using say = std::function<void(std::string)>;

  log_lines(say to, std::size_t line_bytes_max, std::size_t bytes_max);

  /// Takes what arrived, and tells the lines that are whole thereby.
  void add(std::string_view bytes);
  /// Tells what is left, a line without its end.
  void finish();
  /// The last line that is not blank, also when it was not kept: for the detail of a failure.
  const std::string& last_line() const noexcept { return last_; }

private:
  void tell(std::string_view piece);
  void pass();

  say say_;
  std::size_t line_bytes_max_, left_;
  bool full_ = false;
  std::string line_, last_, gathered_;
};

} // namespace troupe::actors
