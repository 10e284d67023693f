#include "graph_json/value_builder.hpp"

#include "core/json_pointer.hpp"

#include <cassert>

namespace troupe::graph_json {

bool value_builder::begin(value::type type) {
  open_.push_back({type == value::type::list ? value{value::list{}} : value{value::object{}}, {}});
  return false;
}

bool value_builder::end() {
  assert(!open_.empty());
  auto content = std::move(open_.back().content);
  open_.pop_back();
  return place(std::move(content));
}

bool value_builder::key(std::string name) {
  auto& top = open_.back();
  top.key = std::move(name);
  return !top.content.find(top.key);
}

bool value_builder::place(value&& x) {
  if (open_.empty()) {
    done_ = std::move(x);
    return true;
  }
  auto& top = open_.back();
  if (auto items = top.content.items())
    items->push_back(std::move(x));
  else
    top.content.members()->try_emplace(std::move(top.key), std::move(x));
  return false;
}

std::string value_builder::steps(std::size_t count) const {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    auto items = open_[i].content.items();
    core::append_step(text, items ? std::to_string(items->size()) : open_[i].key);
  }
  return text;
}

std::string value_builder::pointer() const { return steps(open_.empty() ? 0 : open_.size() - 1); }
std::string value_builder::next_pointer() const { return steps(open_.size()); }

} // namespace troupe::graph_json
