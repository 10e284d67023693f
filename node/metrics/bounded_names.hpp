#pragma once

#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace troupe::node {

/// The values of one label: the first `most` names that come stand for themselves, for good; all
/// others are `other`. So a metric has a bounded number of series. Thread-safe.
class bounded_names {
public:
  explicit bounded_names(std::size_t most) : most_(most) {}

  /// The label's value for `name`; `fallback` for an empty one.
  std::string label(std::string_view name, std::string_view fallback) {
    if (name.empty())
      return std::string{fallback};
    std::scoped_lock lock{mutex_};
    if (names_.find(name) != names_.end())
      return std::string{name};
    if (names_.size() >= most_)
      return "other";
    names_.emplace(name);
    return std::string{name};
  }

private:
  const std::size_t most_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> names_;
};

} // namespace troupe::node
