#pragma once

#include "troupe/value.hpp"

#include <string>
#include <vector>

namespace troupe::graph_json {

/// Puts one value together from the events of a JSON text.
class value_builder {
public:
  bool is_empty() const noexcept { return open_.empty(); }

  /// Adds a scalar, or begins or ends a container. True if the value is complete now.
  bool scalar(value&& x) { return place(std::move(x)); }
  bool begin(value::type type);
  bool end();

  /// Names the next member. False if the object has it already; then the first one stays.
  bool key(std::string name);

  /// The JSON Pointer of the container that is open, seen from the value as a whole.
  std::string pointer() const;
  /// That of the scalar, or of the container, which comes next.
  std::string next_pointer() const;

  /// The complete value; the builder is empty again.
  value release() { return std::move(done_); }

private:
  struct frame {
    value content;
    std::string key; ///< Of the next member.
  };

  bool place(value&& x);
  std::string steps(std::size_t count) const;

  std::vector<frame> open_;
  value done_;
};

} // namespace troupe::graph_json
