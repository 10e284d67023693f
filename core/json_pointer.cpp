#include "core/json_pointer.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::core {

namespace {

std::optional<std::string> unescaped(std::string_view step) {
  std::string key;
  for (std::size_t i = 0; i < step.size(); ++i) {
    if (step[i] != '~') {
      key += step[i];
      continue;
    }
    if (++i == step.size() || (step[i] != '0' && step[i] != '1'))
      return {};
    key += step[i] == '0' ? '~' : '/';
  }
  return key;
}

std::optional<std::size_t> index_in(const std::string& step) noexcept {
  std::size_t index = 0;
  auto end = step.data() + step.size();
  auto [stop, failure] = std::from_chars(step.data(), end, index);
  if (failure != std::errc{} || stop != end || (step.size() > 1 && step[0] == '0'))
    return {};
  return index;
}

const value* step_into(const value& from, const std::string& step) noexcept {
  auto items = from.items();
  if (!items)
    return from.find(step);
  auto index = index_in(step);
  return index && *index < items->size() ? &(*items)[*index] : nullptr;
}

} // namespace

std::optional<pointer_steps> parse_pointer(std::string_view text) {
  pointer_steps steps;
  while (!text.empty()) {
    if (text[0] != '/')
      return {};
    text.remove_prefix(1);
    auto length = std::min(text.find('/'), text.size());
    auto step = unescaped(text.substr(0, length));
    if (!step)
      return {};
    steps.push_back(std::move(*step));
    text.remove_prefix(length);
  }
  return steps;
}

const value* follow(const value& from, const pointer_steps& steps) noexcept {
  auto found = &from;
  for (auto step = steps.begin(); found && step != steps.end(); ++step)
    found = step_into(*found, *step);
  return found;
}

void append_step(std::string& pointer, std::string_view step) {
  pointer += '/';
  for (auto c : step)
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
}

} // namespace troupe::core
