#pragma once

#include <functional>
#include <string_view>

namespace troupe::node {

/// Writes lines to a descriptor, each whole, without being held up by whoever reads them: it waits
/// for room only as long as it may. One thread at a time.
class line_output {
public:
  /// `to` must outlive this. It is not changed: other processes may write there, too.
  explicit line_output(int to);
  ~line_output();
  line_output(const line_output&) = delete;
  line_output& operator=(const line_output&) = delete;

  /// Waits while there is no room, until `gives_up`, which is asked again and again. False: not all
  /// of the line was written. If a part was, the next one begins on a line of its own.
  bool write(std::string_view line, const std::function<bool()>& gives_up);

private:
  ssize_t put(std::string_view piece);

  int to_;
  bool is_own_ = false, is_socket_ = false;
  bool is_cut_ = false; ///< What was written ends within a line.
};

} // namespace troupe::node
