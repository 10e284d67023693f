#pragma once

#include "graph_json/problem_list.hpp"
#include "node/config/node_config.hpp"

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace troupe::node {

/// One key of the configuration: where it stands, what it takes, and where it goes.
struct setting {
  enum class type : std::uint8_t { text, boolean, integer, duration, texts, word, object };

  std::string_view pointer; ///< A JSON Pointer, of names that need no escapes.
  type takes = type::text;
  bool is_live = false; ///< A running node takes it over.
  std::int64_t least = 0, most = std::numeric_limits<std::int64_t>::max();
  std::span<const std::string_view> words{}; ///< Of a `word`.
  void (*read)(const setting& s, node_config& to, value& from, const graph_json::json_place& at,
               graph_json::problem_list& out) = nullptr;
  value (*show)(const node_config& from) = nullptr;
  bool is_url = false; ///< People are shown it without its query, which may have a secret.
};

/// A URL for people: nothing of its query, which may have a secret, but that there is one.
std::string without_query(std::string_view url);

/// The value of a setting, for people: without what is secret.
value shown(const setting& s, const node_config& from);

/// All keys, in the order of the documentation.
std::span<const setting> settings();

/// The levels of logs, from the most to the least.
std::span<const std::string_view> log_levels();

} // namespace troupe::node
