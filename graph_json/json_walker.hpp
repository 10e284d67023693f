#pragma once

#include "graph_json/json_reader.hpp"
#include "graph_json/value_builder.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::graph_json {

/// Walks through a large document and hands its parts over one at a time, as small values. The
/// subclass decides where to go down.
class json_walker : public json_events {
public:
  bool scalar(value&& x) final;
  bool rounded(value&& x, const std::string& digits) final;
  bool begin(value::type type) final;
  bool key(std::string name) final;
  bool end() final;

protected:
  enum class way : std::uint8_t {
    down, ///< Hand over its children, each by itself. Only for containers.
    take, ///< Build it and hand it over.
    skip, ///< Read on behind it.
  };

  /// Decides what happens to the value at a JSON Pointer.
  virtual way choose(std::string_view pointer, value::type type) = 0;
  /// Takes a value that was chosen. `key` is its last step, unescaped; empty in a list.
  virtual void take(std::string_view pointer, std::string_view key, value&& x) = 0;
  /// Is told that the object at `pointer` has a key again. Only its first value is handed over.
  virtual void repeated(std::string_view pointer, std::string_view key) = 0;
  /// Is told of an integer at `pointer` that is rounded; see `json_events::rounded`.
  virtual void lossy(const std::string& /*pointer*/, const std::string& /*digits*/) {}
  /// Makes what it wants of a scalar before it becomes part of a value.
  virtual void filter(value&) {}

  /// The JSON Pointer of what would be told next.
  std::string next_pointer() const;

private:
  struct frame {
    bool is_list = false;
    bool is_repeated = false; ///< The member that follows.
    std::size_t index = 0;
    std::size_t pointer_bytes = 0; ///< Of the container itself.
    std::string key;
    std::set<std::string, std::less<>> keys;
  };

  way enter(value::type type);
  void leave();
  void hand_over(value&& x);

  std::vector<frame> frames_;
  std::string pointer_;
  value_builder builder_;
  bool is_building_ = false;
  std::size_t skipped_ = 0; ///< Open containers that nobody wants.
};

} // namespace troupe::graph_json
