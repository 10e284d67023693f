#pragma once

#include "troupe/problem.hpp"
#include "troupe/value.hpp"

#include <span>
#include <string>
#include <string_view>

namespace troupe::graph_json {

/// Where something stands in a document; becomes a JSON Pointer only when there is a problem.
/// Refers to the place above, which must have a name of its own.
class json_place {
public:
  /// The place that a JSON Pointer leads to; the text must outlive this.
  explicit json_place(std::string_view pointer) : step_(pointer) {}

  json_place operator/(std::string_view key) const& { return {this, key, 0}; }
  json_place operator/(std::size_t index) const& { return {this, {}, index}; }
  json_place operator/(std::string_view) const&& = delete;
  json_place operator/(std::size_t) const&& = delete;

  /// The JSON Pointer (RFC 6901).
  std::string pointer() const;

private:
  json_place(const json_place* up, std::string_view key, std::size_t index)
      : up_(up), step_(key), index_(index) {}

  const json_place* up_ = nullptr;
  std::string_view step_;
  std::size_t index_ = 0; ///< Counts where `step_` has no data.
};

/// Gathers problems up to `limits::graph_problems_max` and counts the rest.
class problem_list {
public:
  void add(const char* code, const json_place& at, std::string detail);
  void wrong_type(const json_place& at, const value& got, std::string_view wanted);
  void unknown_key(const json_place& object, std::string_view key,
                   std::span<const std::string_view> allowed);
  void missing_key(const json_place& object, std::string_view key);
  void duplicate_key(const json_place& object, std::string_view key);
  /// A text that is none of the words that are allowed.
  void unknown_word(const json_place& at, std::string_view got,
                    std::span<const std::string_view> allowed);

  bool is_empty() const noexcept { return problems_.empty(); }

  /// All problems; if there were too many, the last one says how many are left out.
  problems release();

private:
  problems problems_;
  std::size_t left_out_ = 0;
};

} // namespace troupe::graph_json
