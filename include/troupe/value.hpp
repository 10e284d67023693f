#pragma once

#include "troupe/export.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe {

/// A piece of data as JSON knows it, without JSON's text: what vertices take and give. Objects are
/// ordered by key (by byte), so that equal values are equal everywhere. Integers that fit into 64
/// bits stay exact.
class TROUPE_EXPORT value {
public:
  using list = std::vector<value>;
  using object = std::map<std::string, value, std::less<>>;
  enum class type : std::uint8_t { null, boolean, integer, number, string, list, object };

  value() = default;
  value(std::nullptr_t) {}
  value(bool x) : data_(x) {}
  value(int x) : data_(std::int64_t{x}) {}
  value(unsigned x) : data_(std::int64_t{x}) {}
  value(std::int64_t x) : data_(x) {}
  value(double x) : data_(x) {}
  value(const char* x) : data_(std::string{x}) {}
  value(std::string_view x) : data_(std::string{x}) {}
  value(std::string x) : data_(std::move(x)) {}
  value(list x) : data_(std::move(x)) {}
  value(object x) : data_(std::move(x)) {}

  type kind() const noexcept { return type(data_.index()); }
  bool is_null() const noexcept { return kind() == type::null; }
  bool is_number() const noexcept { return kind() == type::integer || kind() == type::number; }

  /// The content if it is of this type, else null.
  const bool* boolean() const noexcept { return std::get_if<bool>(&data_); }
  const std::int64_t* integer() const noexcept { return std::get_if<std::int64_t>(&data_); }
  const double* number() const noexcept { return std::get_if<double>(&data_); }
  const std::string* string() const noexcept { return std::get_if<std::string>(&data_); }
  const list* items() const noexcept { return std::get_if<list>(&data_); }
  const object* members() const noexcept { return std::get_if<object>(&data_); }
  list* items() noexcept { return std::get_if<list>(&data_); }
  object* members() noexcept { return std::get_if<object>(&data_); }

  /// The integer or number as a double, else 0.
  double as_double() const noexcept;

  /// The member of an object, or null if there is none.
  const value* find(std::string_view key) const noexcept;

  /// Adds or returns a member; a null becomes an object first. Only on null and objects.
  value& operator[](std::string_view key);

  bool operator==(const value&) const = default;

private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, list, object> data_;
};

/// The name of a type as messages to people have it: `null`, `boolean`, `integer`, …
TROUPE_EXPORT const char* to_string(value::type type) noexcept;

} // namespace troupe
