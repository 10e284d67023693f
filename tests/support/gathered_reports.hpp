#pragma once

#include "troupe/runtime.hpp"

#include <memory>
#include <mutex>
#include <string>

namespace troupe::tests {

/// What a runtime tells its log, a line each; for all threads.
class gathered_reports {
public:
  /// Has all runtimes that are opened with `to` from here on tell it.
  void gather_from(runtime_config& to) {
    to.report = [all = all_](const std::string& text) {
      std::scoped_lock lock{all->mutex};
      all->text += text + "\n";
    };
  }

  std::string text() const {
    std::scoped_lock lock{all_->mutex};
    return all_->text;
  }

private:
  struct lines {
    std::mutex mutex;
    std::string text;
  };
  std::shared_ptr<lines> all_ = std::make_shared<lines>();
};

} // namespace troupe::tests
