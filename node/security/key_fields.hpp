#pragma once

#include "graph_json/fields.hpp"
#include "node/security/roles.hpp"

/// How JSON tells what a key is, in its file and over HTTP.
namespace troupe::node {

inline void read_role(role& to, value& from, const graph_json::json_place& at,
                      graph_json::problem_list& out) {
  auto text = from.string();
  if (!text)
    return out.wrong_type(at, from, "a string");
  if (auto x = parse_role(*text))
    to = *x;
  else
    out.unknown_word(at, *text, role_names());
}

inline void read_namespace(namespace_id& to, value& from, const graph_json::json_place& at,
                           graph_json::problem_list& out) {
  std::uint32_t number = 0;
  graph_json::read_count(number, from, 0, UINT32_MAX, at, out);
  to = namespace_id{number};
}

} // namespace troupe::node
