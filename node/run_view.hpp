#pragma once

#include "node/console.hpp"
#include "node/progress.hpp"
#include "node/progress_text.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace troupe::node {

/// How a running job is shown.
enum class show_mode {
  drawn, ///< A terminal: lines that are redrawn, above them what has happened.
  plain, ///< Anything else: one line after the other.
  quiet, ///< Nothing.
};

/// Shows the progress of one job on standard error. One thread at a time.
class run_view {
public:
  using clock = std::chrono::steady_clock;

  run_view(console& to, show_mode mode, std::string name)
      : to_(to), mode_(mode), name_(std::move(name)), style_{to.colours(), to.utf8(), to.width()} {}

  /// Takes every event of the job, in order. `fresh`: it happened in this run, so it is told.
  void take(const event& x, bool fresh);
  /// Draws what is due; call it after some events, and now and then.
  void tick(clock::time_point now);
  /// Draws this above the bar: lines for a style and a number of rows.
  void show_above(std::function<std::string(const text_style&, std::size_t)> picture) {
    picture_ = std::move(picture);
  }
  /// Tells something else, above what is drawn.
  void note(const std::string& line);
  /// Forgets all events: they come anew.
  void restart();
  /// Takes the drawing away, and if the job has ended, says so.
  void finish();

  const progress& seen() const noexcept { return seen_; }

private:
  void tell(const std::vector<std::string>& lines);
  std::string erased();
  std::string picture();
  void draw(clock::time_point now);
  void say_counts(clock::time_point now);
  std::chrono::milliseconds since(clock::time_point now) const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - begun_);
  }

  console& to_;
  show_mode mode_;
  std::string name_;
  text_style style_;
  std::function<std::string(const text_style&, std::size_t)> picture_;
  progress seen_;
  clock::time_point begun_ = clock::now();
  clock::time_point drawn_{};
  std::uint32_t tenth_ = 0; ///< Of the work that was told last.
  std::size_t lines_ = 0;   ///< Drawn at the bottom.
  std::string waiting_;     ///< Told at the next tick.
};

} // namespace troupe::node
