#include "graph_json/json_walker.hpp"

#include "core/json_pointer.hpp"

namespace troupe::graph_json {

bool json_walker::scalar(value&& x) {
  if (skipped_ > 0)
    return true;
  filter(x);
  if (is_building_) {
    builder_.scalar(std::move(x));
    return true;
  }
  if (enter(x.kind()) != way::skip)
    hand_over(std::move(x));
  leave();
  return true;
}

bool json_walker::rounded(value&& x, const std::string& digits) {
  if (skipped_ == 0)
    lossy(next_pointer(), digits);
  return scalar(std::move(x));
}

bool json_walker::begin(value::type type) {
  if (skipped_ > 0) {
    ++skipped_;
    return true;
  }
  if (is_building_) {
    builder_.begin(type);
    return true;
  }
  switch (enter(type)) {
  case way::down: {
    frame inner;
    inner.is_list = type == value::type::list;
    inner.pointer_bytes = pointer_.size();
    frames_.push_back(std::move(inner));
    break;
  }
  case way::take:
    is_building_ = true;
    builder_.begin(type);
    break;
  case way::skip: ++skipped_; break;
  }
  return true;
}

bool json_walker::key(std::string name) {
  if (skipped_ > 0)
    return true;
  if (is_building_) {
    if (!builder_.key(name))
      repeated(pointer_ + builder_.pointer(), name);
    return true;
  }
  auto& top = frames_.back();
  top.key = std::move(name);
  top.is_repeated = !top.keys.insert(top.key).second;
  if (top.is_repeated)
    repeated(pointer_, top.key);
  return true;
}

bool json_walker::end() {
  if (skipped_ > 0) {
    if (--skipped_ == 0)
      leave();
    return true;
  }
  if (is_building_) {
    if (!builder_.end())
      return true;
    is_building_ = false;
    hand_over(builder_.release());
  } else {
    frames_.pop_back();
  }
  leave();
  return true;
}

std::string json_walker::next_pointer() const {
  if (is_building_ || frames_.empty())
    return pointer_ + builder_.next_pointer();
  auto& top = frames_.back();
  auto text = pointer_;
  core::append_step(text, top.is_list ? std::to_string(top.index) : top.key);
  return text;
}

json_walker::way json_walker::enter(value::type type) {
  if (frames_.empty())
    return choose(pointer_, type);
  auto& top = frames_.back();
  if (top.is_list)
    core::append_step(pointer_, std::to_string(top.index++));
  else
    core::append_step(pointer_, top.key);
  return top.is_repeated ? way::skip : choose(pointer_, type);
}

void json_walker::leave() { pointer_.resize(frames_.empty() ? 0 : frames_.back().pointer_bytes); }

void json_walker::hand_over(value&& x) {
  auto key = frames_.empty() || frames_.back().is_list ? std::string_view{} : frames_.back().key;
  take(pointer_, key, std::move(x));
}

} // namespace troupe::graph_json
