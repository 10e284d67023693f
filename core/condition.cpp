#include "core/condition.hpp"

#include "core/compare.hpp"
#include "core/condition_node.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::core {

namespace {

bool is_integral(const value& x) noexcept {
  return x.integer()
         || (x.number() && std::isfinite(*x.number()) && std::trunc(*x.number()) == *x.number());
}

bool is_of_type(const value& x, const std::string& type) {
  if (type == "number")
    return x.is_number();
  if (type == "integer")
    return is_integral(x);
  return type == to_string(x.kind());
}

bool is_in(const value& x, const value::list& items) {
  return std::any_of(items.begin(), items.end(), [&](auto& item) { return same(x, item); });
}

bool has_key(const value::object& members, const std::string& key, bool ignore_case) {
  if (!ignore_case)
    return members.contains(key);
  return std::any_of(members.begin(), members.end(), [&](auto& member) {
    return member.first.size() == key.size() && starts_with(member.first, key, true);
  });
}

bool has_part(const value& whole, const value& part, bool ignore_case) {
  if (auto items = whole.items())
    return std::any_of(items->begin(), items->end(),
                       [&](auto& item) { return same(item, part, ignore_case); });
  if (!part.string())
    return false;
  if (auto members = whole.members())
    return has_key(*members, *part.string(), ignore_case);
  return whole.string() && contains(*whole.string(), *part.string(), ignore_case);
}

/// One row per operator of a test.
bool passes(const condition::node& test, const value& x) {
  auto& operand = test.operand;
  auto text = x.string(), part = operand.string();
  switch (test.op) {
  case condition_op::eq: return same(x, operand, test.ignore_case);
  case condition_op::ne: return !same(x, operand, test.ignore_case);
  case condition_op::lt: return order(x, operand) < 0;
  case condition_op::le: return order(x, operand) <= 0;
  case condition_op::gt: return order(x, operand) > 0;
  case condition_op::ge: return order(x, operand) >= 0;
  case condition_op::in: return is_in(x, *operand.items());
  case condition_op::contains: return has_part(x, operand, test.ignore_case);
  case condition_op::starts_with: return text && starts_with(*text, *part, test.ignore_case);
  case condition_op::ends_with: return text && ends_with(*text, *part, test.ignore_case);
  case condition_op::exists: return *operand.boolean();
  case condition_op::is: return is_of_type(x, *part);
  default: return false;
  }
}

bool passes_nowhere(const condition::node& test) {
  return test.op == condition_op::ne
         || (test.op == condition_op::exists && !*test.operand.boolean());
}

/// As deep as `compile` let the condition be.
bool holds(const condition::node& part, const value& output) {
  auto holds_too = [&](auto& inner) { return holds(inner, output); };
  auto& parts = part.parts;
  switch (part.op) {
  case condition_op::constant: return *part.operand.boolean();
  case condition_op::all_of: return std::all_of(parts.begin(), parts.end(), holds_too);
  case condition_op::any_of: return std::any_of(parts.begin(), parts.end(), holds_too);
  case condition_op::none_of: return std::none_of(parts.begin(), parts.end(), holds_too);
  default: break;
  }
  auto found = follow(output, part.path);
  return found ? passes(part, *found) : passes_nowhere(part);
}

} // namespace

bool condition::holds(const value& output) const { return core::holds(*root_, output); }

} // namespace troupe::core
