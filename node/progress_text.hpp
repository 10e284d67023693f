#pragma once

#include "node/progress.hpp"

#include <chrono>
#include <string>
#include <vector>

/// How progress looks. Pure; any thread.
namespace troupe::node {

struct text_style {
  bool colours = false;
  bool utf8 = false;
  std::size_t width = 80;
};

/// The lines at the bottom of a terminal, none wider than the style's width, without the last line
/// feed: a bar with counts and time, and if something runs, the names of a few.
std::string status_lines(const progress& x, std::string_view name, std::chrono::milliseconds since,
                         const text_style& style);

/// How many lines `status_lines` has.
std::size_t line_count(std::string_view text);

/// A failure, also of an attempt that will be repeated, or nothing for any other event.
std::string failure_line(const event& x, const text_style& style);
/// What a vertex said, line by line, or nothing for any other event. Of what else it told, too, one
/// line says that no more is kept.
std::vector<std::string> log_lines(const event& x, const text_style& style);
/// A start or an end that is no failure, or nothing for any other event.
std::string step_line(const event& x, const text_style& style);

/// `8 of 10 done, 1 failed, 3 running`; parts that are zero are left out.
std::string counts_text(const progress& x);

/// The line when a job has ended: its state, how long it took, what became of its vertices.
std::string ending_line(const progress& x, std::chrono::milliseconds took, const text_style& style);

} // namespace troupe::node
