#include "storage/table_map.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string_view>

namespace troupe::storage {

struct table_map::node {
  row_ptr content;
  std::uint64_t priority;
  node_ptr low, high;
};

int compare_keys(core::byte_view a, core::byte_view b) noexcept {
  auto common = std::min(a.size(), b.size());
  if (int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common))
    return order;
  return a.size() < b.size() ? -1 : a.size() > b.size();
}

table_map::row_ptr table_map::find(core::byte_view key) const {
  auto found = not_below(key);
  return found && compare_keys(found->key, key) == 0 ? found : nullptr;
}

table_map::row_ptr table_map::not_below(core::byte_view key) const {
  const node* best = nullptr;
  for (auto at = root_.get(); at;)
    if (compare_keys(at->content->key, key) >= 0)
      at = (best = at)->low.get();
    else
      at = at->high.get();
  return best ? best->content : nullptr;
}

table_map::row_ptr table_map::above(core::byte_view key) const {
  const node* best = nullptr;
  for (auto at = root_.get(); at;)
    if (compare_keys(at->content->key, key) > 0)
      at = (best = at)->low.get();
    else
      at = at->high.get();
  return best ? best->content : nullptr;
}

table_map::row_ptr table_map::below(core::byte_view key) const {
  const node* best = nullptr;
  for (auto at = root_.get(); at;)
    if (compare_keys(at->content->key, key) < 0)
      at = (best = at)->high.get();
    else
      at = at->low.get();
  return best ? best->content : nullptr;
}

void table_map::put(row_ptr x) {
  std::string_view key{reinterpret_cast<const char*>(x->key.data()), x->key.size()};
  root_ = with(root_, x, std::hash<std::string_view>{}(key));
}

void table_map::erase(core::byte_view key) { root_ = without(root_, key); }

/// The tree with a row. A child that has come to have the greater priority is turned up.
table_map::node_ptr table_map::with(const node_ptr& in, const row_ptr& x, std::uint64_t priority) {
  if (!in)
    return std::make_shared<const node>(node{x, priority, {}, {}});
  auto order = compare_keys(x->key, in->content->key);
  if (order == 0)
    return std::make_shared<const node>(node{x, in->priority, in->low, in->high});
  node copy = *in;
  auto& side = order < 0 ? copy.low : copy.high;
  side = with(side, x, priority);
  if (side->priority <= copy.priority)
    return std::make_shared<const node>(std::move(copy));
  node up = *side;
  auto& inner = order < 0 ? up.high : up.low;
  side = inner;
  inner = std::make_shared<const node>(std::move(copy));
  return std::make_shared<const node>(std::move(up));
}

table_map::node_ptr table_map::without(const node_ptr& in, core::byte_view key) {
  assert(in);
  auto order = compare_keys(key, in->content->key);
  if (order == 0)
    return joined(in->low, in->high);
  node copy = *in;
  auto& side = order < 0 ? copy.low : copy.high;
  side = without(side, key);
  return std::make_shared<const node>(std::move(copy));
}

table_map::node_ptr table_map::joined(const node_ptr& low, const node_ptr& high) {
  if (!low || !high)
    return low ? low : high;
  node copy = low->priority > high->priority ? *low : *high;
  if (low->priority > high->priority)
    copy.high = joined(low->high, high);
  else
    copy.low = joined(low, high->low);
  return std::make_shared<const node>(std::move(copy));
}

} // namespace troupe::storage
