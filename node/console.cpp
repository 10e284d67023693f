#include "node/console.hpp"

#include "core/secrets.hpp"
#include "graph_json/value_json.hpp"
#include "node/harmless.hpp"
#include "node/out_json.hpp"
#include "node/text.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>

namespace troupe::node {

namespace {

constexpr std::size_t usual_width = 80;

std::string_view environment(const char* name) {
  auto text = std::getenv(name);
  return text ? text : "";
}

/// The first of the variables that decide on the locale that is set.
std::string_view locale() {
  for (auto name : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (auto text = environment(name); !text.empty())
      return text;
  return {};
}

bool names_utf8(std::string_view locale) {
  for (auto name : {"UTF-8", "utf-8", "UTF8", "utf8"})
    if (locale.find(name) != locale.npos)
      return true;
  return false;
}

} // namespace

console::console()
    : out_is_terminal_(::isatty(STDOUT_FILENO) == 1),
      can_draw_(::isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb"),
      colours_(can_draw_ && environment("NO_COLOR").empty()),
      utf8_(names_utf8(locale())) {}

std::size_t console::width() const {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return usual_width;
  return size.ws_col;
}

bool console::out(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
}

bool console::out_json(const value& x) {
  return out(out_is_terminal_ ? harmless(graph_json::to_json_pretty(x)) : graph_json::to_json(x))
         && out("\n");
}

bool console::out_line(const value& x) {
  return out_json_text(*this, graph_json::to_json(x)) && out("\n");
}

bool console::flush() { return std::fflush(stdout) == 0 && !std::ferror(stdout); }

void console::err(std::string_view text) {
  if (err_)
    return err_(text);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

int console::fail(const trouble& x) {
  flush();
  std::string text;
  for (auto& wrong : x.found)
    text += one_line((wrong.pointer.empty() ? "" : wrong.pointer + ": ") + wrong.detail) + "\n";
  err(core::without_secrets(text + to_text(x, colours_)));
  return number(x.kind->exit);
}

bool out_json_text(console& to, std::string_view json) {
  return to.out_is_terminal() ? to.out(harmless(json)) : to.out(json);
}

} // namespace troupe::node
