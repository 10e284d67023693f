#include "actors/kinds/log_lines.hpp"

#include "core/utf8.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {

namespace {

constexpr std::size_t last_line_bytes_max = 512;

bool is_blank(std::string_view x) {
  return x.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

} // namespace

log_lines::log_lines(say to, std::size_t line_bytes_max, std::size_t bytes_max)
    : say_(std::move(to)),
      line_bytes_max_(std::max<std::size_t>(line_bytes_max, 4)),
      left_(bytes_max) {}

void log_lines::add(std::string_view bytes) {
  while (!bytes.empty()) {
    auto room = line_bytes_max_ - line_.size();
    auto end = bytes.substr(0, room).find('\n');
    auto n = end == std::string_view::npos ? std::min(room, bytes.size()) : end + 1;
    line_ += bytes.substr(0, n);
    bytes.remove_prefix(n);
    if (end == std::string_view::npos && line_.size() < line_bytes_max_)
      break;
    auto rest = line_.substr(line_.size() - core::unfinished_utf8(line_));
    tell(std::string_view{line_}.substr(0, line_.size() - rest.size()));
    line_ = rest;
  }
  pass();
}

void log_lines::finish() {
  if (!line_.empty())
    tell(line_);
  line_.clear();
  pass();
}

void log_lines::pass() {
  if (!gathered_.empty())
    say_(std::exchange(gathered_, {}));
}

void log_lines::tell(std::string_view piece) {
  auto text = core::replace_bad_utf8(piece);
  if (!is_blank(text))
    last_ = core::replace_bad_utf8(text.substr(0, last_line_bytes_max));
  while (!last_.empty() && (last_.back() == '\n' || last_.back() == '\r'))
    last_.pop_back();
  if (full_)
    return;
  full_ = text.size() > left_;
  left_ -= full_ ? left_ : text.size();
  if (full_)
    text = "… the rest of the log is not kept: it is beyond its limit\n";
  if (gathered_.size() + text.size() > line_bytes_max_)
    pass();
  gathered_ += text;
}

} // namespace troupe::actors
