#include "node/progress_text.hpp"

#include "node/text.hpp"

#include <algorithm>

namespace troupe::node {

namespace {

constexpr std::size_t bar_width = 24;
constexpr std::size_t names_shown_max = 8;

std::string painted(std::string_view text, const char* code, const text_style& style) {
  if (!style.colours)
    return std::string{text};
  return "\x1b[" + std::string{code} + "m" + std::string{text} + "\x1b[0m";
}

std::string bar_of(const progress& x, const text_style& style) {
  auto full = x.total() == 0 ? 0 : bar_width * std::min(x.done(), x.total()) / x.total();
  std::string done, open;
  for (std::size_t i = 0; i < bar_width; ++i)
    (i < full ? done : open) += style.utf8 ? (i < full ? "█" : "░") : (i < full ? "#" : ".");
  return painted(done, x.failed() > 0 ? "31" : "32", style) + painted(open, "2", style);
}

/// As many names as fit, then how many more there are.
std::string names_of(const progress& x, std::size_t width) {
  std::string line = "  ";
  auto names = x.oldest_running(names_shown_max);
  std::size_t shown = 0;
  for (auto& name : names) {
    auto next = (shown > 0 ? ", " : "") + name;
    if (shown > 0 && line.size() + next.size() + std::string_view{", +1000000 more"}.size() > width)
      break;
    line += next;
    ++shown;
  }
  if (shown < x.running())
    line += ", +" + std::to_string(x.running() - shown) + " more";
  return cut(line, width);
}

void add_part(std::string& to, std::size_t n, const char* word) {
  if (n > 0)
    to += (to.empty() ? "" : ", ") + std::to_string(n) + " " + word;
}

/// `vertex: `, and which attempt if it is not the first.
std::string vertex_of(const event& x) {
  auto attempt = number_of(x.data, "attempt");
  return std::string{text_of(x.data, "vertex")}
         + (attempt > 1 ? " (attempt " + std::to_string(attempt) + ")" : "");
}

} // namespace

std::string counts_text(const progress& x) {
  auto text = x.total() == 0
                  ? std::string{"not begun"}
                  : std::to_string(x.done()) + " of " + std::to_string(x.total()) + " done";
  add_part(text, x.failed(), "failed");
  add_part(text, x.cancelled(), "cancelled");
  add_part(text, x.skipped(), "skipped");
  add_part(text, x.running(), "running");
  return text;
}

std::string status_lines(const progress& x, std::string_view name, std::chrono::milliseconds since,
                         const text_style& style) {
  auto counts = "  " + counts_text(x) + "  " + span_text(since);
  auto room =
      style.width > bar_width + width_of(counts) ? style.width - bar_width - width_of(counts) : 0;
  std::string lines;
  if (room > 3)
    lines = cut(name, room - 2) + "  ";
  if (style.width >= bar_width + width_of(counts)) // What is said goes before what is drawn.
    lines += bar_of(x, style) + counts;
  else
    lines = cut(counts.substr(2), style.width);
  if (x.running() > 0)
    lines += "\n" + painted(names_of(x, style.width), "2", style);
  return lines;
}

std::size_t line_count(std::string_view text) {
  return text.empty() ? 0 : static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
}

std::string failure_line(const event& x, const text_style& style) {
  auto why = x.type == "end_vertex" ? x.data.find("error") : nullptr;
  auto state = text_of(x.data, "state");
  if (!why || (state != "failed" && state != "backoff"))
    return {};
  auto retried = state == "backoff";
  auto word = retried ? painted("retry", "33", style) : painted("failed", "31", style);
  auto p = problem_of(*why);
  return word + (retried ? "    " : "   ")
         + one_line(vertex_of(x) + ": " + p.code + ": " + p.detail);
}

std::vector<std::string> log_lines(const event& x, const text_style& style) {
  std::vector<std::string> lines;
  auto add = [&](std::string_view line) {
    lines.push_back(painted(
        one_line(std::string{text_of(x.data, "vertex")} + " | " + std::string{line}), "2", style));
  };
  for (auto text = x.type == "log" ? text_of(x.data, "text") : ""; !text.empty();) {
    auto end = text.find('\n');
    add(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  if (x.data.find("cut"))
    add("… the log of the job is cut here: what comes later is not kept");
  return lines;
}

std::string step_line(const event& x, const text_style& style) {
  if (x.type == "vertex_start")
    return painted("start", "2", style) + "    " + vertex_of(x);
  if (x.type != "end_vertex" || !failure_line(x, style).empty())
    return {};
  auto state = text_of(x.data, "state");
  auto took = x.data.find("duration_ms");
  auto word = state == "succeeded" ? std::string{"ok"} : std::string{state};
  if (x.data.find("reused"))
    word = "reused";
  auto gap = std::string(word.size() < 9 ? 9 - word.size() : 1, ' ');
  auto time =
      took ? " (" + span_text(std::chrono::milliseconds{number_of(x.data, "duration_ms")}) + ")"
           : std::string{};
  return painted(word, state == "succeeded" ? "32" : "2", style) + gap + vertex_of(x) + time;
}

std::string ending_line(const progress& x, std::chrono::milliseconds took,
                        const text_style& style) {
  auto well = x.state() == job_state::completed && x.failed() == 0;
  std::string counts;
  add_part(counts, x.succeeded(), "succeeded");
  add_part(counts, x.failed(), "failed");
  add_part(counts, x.skipped(), "skipped");
  add_part(counts, x.cancelled(), "cancelled");
  if (x.reused() > 0)
    counts += " (" + std::to_string(x.reused()) + " reused)";
  return painted(to_string(x.state()), well ? "32" : "31", style) + " in " + span_text(took) + ": "
         + (counts.empty() ? "nothing ran" : counts);
}

} // namespace troupe::node
