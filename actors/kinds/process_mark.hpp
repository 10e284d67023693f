#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace troupe::actors {

/// Variables that mark all processes that were started with them in their environment, and what
/// those start in turn, whatever group or session they go to. A program that clears its
/// environment, or changes its user, loses the mark.
class process_mark {
public:
  explicit process_mark(const std::vector<std::pair<std::string, std::string>>& variables);

  /// Kills all that are marked, but this process; also what they start meanwhile. Reads all of
  /// /proc: some milliseconds. Async-signal-safe. Returns how many were killed.
  std::size_t kill_all() const noexcept;

private:
  std::vector<std::string> entries_; ///< As in an environment, a zero before and behind each.
};

} // namespace troupe::actors
