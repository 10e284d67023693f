#pragma once

#include "troupe/limits.hpp"
#include "troupe/problem.hpp"

#include <string>
#include <utility>

namespace troupe::core {

/// Collects what is wrong: the first `limits::graph_problems_max`, then only their number.
class problem_list {
public:
  void add(const char* code, std::string pointer, std::string detail) {
    add(problem{code, std::move(pointer), std::move(detail)});
  }

  void add(problem x) {
    if (full())
      ++more_;
    else
      kept_.push_back(std::move(x));
  }

  void add(problems all) {
    for (auto& x : all)
      add(std::move(x));
  }

  /// Whether what is added now is only counted, so that its text is not worth the trouble.
  bool full() const noexcept { return kept_.size() >= limits::graph_problems_max; }

  /// All that is wrong; if some were left out, a last one counts them.
  problems take() && {
    if (more_ > 0)
      kept_.push_back({"more_problems", "", std::to_string(more_) + " more problems"});
    return std::move(kept_);
  }

private:
  problems kept_;
  std::size_t more_ = 0;
};

} // namespace troupe::core
