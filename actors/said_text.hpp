#pragma once

#include "troupe/limits.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::actors {

/// What the attempts of one job may still say to it, in bytes. Thread-safe.
class said_budget {
public:
  struct grant {
    std::size_t bytes = 0; ///< No more than was asked for.
    bool last = false;     ///< Nothing is left.
  };

  explicit said_budget(std::size_t bytes) noexcept : left_(bytes) {}

  grant take(std::size_t bytes) noexcept;
  /// For what was said in vain: its attempt is not the current one.
  void give_back(std::size_t bytes) noexcept { left_ += bytes; }

private:
  std::atomic<std::size_t> left_;
};

/// Text that becomes one event.
struct said_piece {
  std::string text;
  std::size_t cost = 0; ///< What it took of the budget.
  bool last = false;    ///< The budget ended here: what comes later is not kept.
};

/// What one attempt says, on its way to its job. One message at most is under way: until the job
/// takes what is there, more gathers, whole lines in pieces of `limits::said_gather_bytes_max`, as
/// much as the budget gives. Thread-safe; nothing blocks.
class said_text {
public:
  explicit said_text(std::shared_ptr<said_budget> budget) : budget_(std::move(budget)) {}

  /// Adds `text`, or what the budget leaves of it. True: tell the job that there is something.
  bool add(std::string text);
  /// All that is there. For the job, once it was told.
  std::vector<said_piece> take();
  /// As in `said_budget`.
  void give_back(std::size_t bytes) noexcept { budget_->give_back(bytes); }

private:
  std::shared_ptr<said_budget> budget_;
  std::mutex mutex_;
  std::vector<said_piece> pieces_;
  bool told_ = false;
};

} // namespace troupe::actors
