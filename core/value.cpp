#include "troupe/value.hpp"

#include <cassert>

namespace troupe {

double value::as_double() const noexcept {
  if (auto x = integer())
    return static_cast<double>(*x);
  auto x = number();
  return x ? *x : 0;
}

const value* value::find(std::string_view key) const noexcept {
  auto all = members();
  if (!all)
    return nullptr;
  auto found = all->find(key);
  return found == all->end() ? nullptr : &found->second;
}

value& value::operator[](std::string_view key) {
  if (is_null())
    data_ = object{};
  auto all = members();
  assert(all);
  auto found = all->lower_bound(key);
  if (found == all->end() || found->first != key)
    found = all->emplace_hint(found, std::string{key}, value{});
  return found->second;
}

const char* to_string(value::type type) noexcept {
  using enum value::type;
  switch (type) {
  case null: return "null";
  case boolean: return "boolean";
  case integer: return "integer";
  case number: return "number";
  case string: return "string";
  case list: return "list";
  case object: return "object";
  }
  return "null";
}

} // namespace troupe
