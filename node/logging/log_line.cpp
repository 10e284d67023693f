#include "core/secrets.hpp"
#include "graph_json/json_text.hpp"
#include "node/logging/log.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace troupe::node {

namespace {

using core::without_secrets;

constexpr std::string_view levels[]{"trace", "debug", "info", "warn", "error", "off"};
static_assert(std::size(levels) == std::size_t(last(log_level{})) + 1);

/// One line, whatever the text holds: control characters become spaces.
void append_plain(std::string_view text, std::string& to) {
  for (auto c : text)
    to += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

void append_quoted(std::string_view text, std::string& to) {
  auto simple = !text.empty() && std::ranges::none_of(text, [](char c) {
    return c == ' ' || c == '"' || c == '=' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
  });
  if (simple)
    append_plain(text, to);
  else
    graph_json::append_json_string(text, to);
}

void append_member(std::string_view key, std::string_view text, std::string& to) {
  to += to.empty() ? '{' : ',';
  graph_json::append_json_string(key, to);
  to += ':';
  graph_json::append_json_string(text, to);
}

std::string json_line(std::string_view time, log_level level, std::string_view module,
                      std::string_view text, std::initializer_list<log_field> fields) {
  std::string line;
  append_member("time", time, line);
  append_member("level", to_string(level), line);
  append_member("module", module, line);
  append_member("message", without_secrets(text), line);
  for (auto& x : fields)
    if (!x.text.empty())
      append_member(x.key, without_secrets(x.text), line);
  return line + "}";
}

} // namespace

std::string_view to_string(log_level x) noexcept { return levels[std::size_t(x)]; }

std::optional<log_level> parse_log_level(std::string_view text) noexcept {
  auto found = std::ranges::find(levels, text);
  if (found == std::end(levels))
    return {};
  return log_level(found - std::begin(levels));
}

std::string log_line(log_format format, std::string_view time, log_level level,
                     std::string_view module, std::string_view text,
                     std::initializer_list<log_field> fields) {
  if (format == log_format::json)
    return json_line(time, level, module, text, fields);
  std::string line{time};
  line += ' ';
  line += to_string(level);
  line += ' ';
  line += module;
  line += ": ";
  append_plain(without_secrets(text), line);
  for (auto& x : fields) {
    if (x.text.empty())
      continue;
    line += ' ';
    line += x.key;
    line += '=';
    append_quoted(without_secrets(x.text), line);
  }
  return line;
}

} // namespace troupe::node
