#pragma once

#include "core/json_pointer.hpp"
#include "troupe/problem.hpp"
#include "troupe/value.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace troupe::core {

/// Looks at the config of one vertex, key by key, and reports what is wrong with it. Every `x_at`
/// returns the content of a key, or null if it is missing or, which is reported, of another type.
class config_check {
public:
  /// Reports a config that is no object and every key that is not among `keys`, which has to
  /// outlive this, as have the others.
  config_check(const value& config, const std::string& pointer, problems& errors,
               std::span<const std::string_view> keys);

  bool has(std::string_view key) const noexcept { return config_.find(key) != nullptr; }

  /// A string that is not empty and can be handed to the system: without a byte of zero.
  const std::string* text_at(std::string_view key);
  const bool* boolean_at(std::string_view key);
  const value::list* list_at(std::string_view key);
  const value::object* object_at(std::string_view key);
  /// An integer of `least` to `most`.
  const std::int64_t* integer_at(std::string_view key, std::int64_t least, std::int64_t most);

  /// Reports a key that is missing.
  void require(std::string_view key);
  /// Reports if none or both of two keys are there.
  void require_one(std::string_view a, std::string_view b);

  /// Reports something about what stands below the config: `report("bad_name", "…", "env", 3)`.
  template <class... Steps>
  void report(const char* code, std::string detail, const Steps&... steps) {
    errors_.push_back({code, at(pointer_, steps...), std::move(detail)});
  }

private:
  const value* of_type(std::string_view key, value::type type);

  const value& config_;
  const std::string& pointer_;
  problems& errors_;
};

/// Whether `text` has a byte of zero, which no argument, path or variable can hold.
bool has_zero(std::string_view text) noexcept;

} // namespace troupe::core
