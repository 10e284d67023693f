#pragma once

#include "graph_json/value_json.hpp"
#include "tests/support/catch.hpp"

#include <set>
#include <string>
#include <vector>

namespace troupe::tests {

inline value json_of(const std::string& text) {
  auto parsed = graph_json::parse_value(text);
  INFO(text);
  REQUIRE(parsed);
  return *parsed;
}

/// The lines of a file that ends whole; a line that is still being written does not count.
inline std::vector<value> lines_of(const std::string& text) {
  std::vector<value> all;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != text.npos; begin = end + 1)
    all.push_back(json_of(text.substr(begin, end - begin)));
  return all;
}

/// A string member of an object, or of its member `data`.
inline std::string text_at(const value& x, std::string_view key) {
  auto found = x.find(key);
  if (!found && x.find("data"))
    found = x.find("data")->find(key);
  return found && found->string() ? *found->string() : "";
}

/// Whether events are numbered 1, 2, 3 … and the last one, only, is `end`.
inline bool gapless(const std::vector<value>& events) {
  for (std::size_t i = 0; i < events.size(); ++i)
    if (*events[i].find("id") != value{static_cast<std::int64_t>(i + 1)}
        || (text_at(events[i], "event") == "end") != (i + 1 == events.size()))
      return false;
  return !events.empty();
}

/// How many vertices ran at once at most.
inline std::size_t most_at_once(const std::vector<value>& events) {
  std::set<std::string> running;
  std::size_t most = 0;
  for (auto& x : events) {
    if (text_at(x, "event") == "vertex_start")
      running.insert(text_at(x, "vertex"));
    else if (text_at(x, "event") == "end_vertex")
      running.erase(text_at(x, "vertex"));
    most = std::max(most, running.size());
  }
  return most;
}

/// Events of a type about a vertex.
inline std::size_t count(const std::vector<value>& events, std::string_view type,
                         std::string_view vertex = {}) {
  std::size_t n = 0;
  for (auto& x : events)
    n += text_at(x, "event") == type && (vertex.empty() || text_at(x, "vertex") == vertex);
  return n;
}

} // namespace troupe::tests
