#pragma once

#include <optional>
#include <string>
#include <vector>

namespace troupe::node {

/// Which jobs a list or a bulk request means, in the words of its user. All parts hold.
struct job_query {
  std::optional<std::string> state; ///< Of `job_state`, or `unfinished`.
  std::optional<std::string> queue;
  std::vector<std::string> labels;       ///< `NAME=VALUE`.
  std::string text;                      ///< As `job_filter::text`. Empty: all.
  std::optional<std::string> older_than; ///< They ended so long ago, as people write a duration.

  bool is_empty() const noexcept {
    return !state && !queue && labels.empty() && text.empty() && !older_than;
  }
};

} // namespace troupe::node
