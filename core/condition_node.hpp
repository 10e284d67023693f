#pragma once

#include "core/condition.hpp"
#include "core/json_pointer.hpp"

#include <cstdint>
#include <vector>

namespace troupe::core {

enum class condition_op : std::uint8_t {
  constant,
  all_of,
  any_of,
  none_of,
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  in,
  contains,
  starts_with,
  ends_with,
  exists,
  is,
};

struct condition::node {
  condition_op op = condition_op::constant;
  std::vector<node> parts; ///< Of `all_of`, `any_of`, `none_of`.
  pointer_steps path;      ///< Of a test.
  value operand;           ///< Of a test or constant; its type is what the operator takes.
  bool ignore_case = false;
};

} // namespace troupe::core
