#include "node/run_view.hpp"

#include "node/text.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace troupe::node {

namespace {

using namespace std::chrono_literals;

constexpr auto redraw_every = 100ms;
constexpr auto tell_every = 1s;
constexpr std::uint32_t small_graph_max = 200; ///< Vertices whose steps are told one by one.
constexpr std::size_t usual_height = 24;
constexpr std::size_t rows_below = 3; ///< Of a terminal: the bar, names, and the cursor.
constexpr std::size_t told_bytes_max = std::size_t{1} << 20; ///< Between two ticks.

/// Lines of standard error.
std::size_t terminal_height() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
    return usual_height;
  return size.ws_row;
}

} // namespace

void run_view::take(const event& x, bool fresh) {
  seen_.apply(x);
  if (mode_ == show_mode::quiet || !fresh)
    return;
  if (auto line = failure_line(x, style_); !line.empty())
    return tell({line});
  if (auto lines = log_lines(x, style_); !lines.empty())
    return tell(lines);
  if (mode_ == show_mode::plain && seen_.total() > 0 && seen_.total() <= small_graph_max)
    if (auto line = step_line(x, style_); !line.empty())
      tell({line});
}

void run_view::tell(const std::vector<std::string>& lines) {
  for (auto& line : lines)
    waiting_ += line + "\n";
  if (waiting_.size() > told_bytes_max)
    tick(clock::now());
}

void run_view::tick(clock::time_point now) {
  if (mode_ == show_mode::drawn
      && (now - drawn_ >= redraw_every || waiting_.size() > told_bytes_max))
    draw(now);
  if (mode_ == show_mode::plain) {
    to_.err(std::exchange(waiting_, {}));
    if (seen_.total() > small_graph_max)
      say_counts(now);
  }
}

void run_view::note(const std::string& line) {
  if (mode_ == show_mode::quiet)
    to_.err(line + "\n");
  else
    tell({line});
}

void run_view::restart() {
  seen_ = {};
  tenth_ = 0;
}

/// What moves the cursor to where the drawing began, and takes it away.
std::string run_view::erased() {
  if (lines_ == 0)
    return {};
  auto up = lines_ > 1 ? "\x1b[" + std::to_string(lines_ - 1) + "A" : std::string{};
  lines_ = 0;
  return "\r" + up + "\x1b[J";
}

std::string run_view::picture() {
  auto rows = terminal_height();
  return picture_ && mode_ == show_mode::drawn && rows > rows_below
             ? picture_(style_, rows - rows_below)
             : "";
}

void run_view::draw(clock::time_point now) {
  style_.width = to_.width();
  auto text = erased() + std::exchange(waiting_, {});
  auto status = picture() + status_lines(seen_, name_, since(now), style_);
  to_.err(text + status);
  lines_ = line_count(status);
  drawn_ = now;
}

void run_view::say_counts(clock::time_point now) {
  auto tenth = static_cast<std::uint32_t>(std::uint64_t{10} * seen_.done() / seen_.total());
  if (tenth == tenth_ && now - drawn_ < tell_every)
    return;
  tenth_ = tenth;
  drawn_ = now;
  to_.err(counts_text(seen_) + ", " + span_text(since(now)) + "\n");
}

void run_view::finish() {
  if (mode_ == show_mode::quiet)
    return;
  to_.err(erased() + std::exchange(waiting_, {}) + picture()
          + (seen_.ended() ? ending_line(seen_, seen_.span(), style_) : counts_text(seen_)) + "\n");
}

} // namespace troupe::node
