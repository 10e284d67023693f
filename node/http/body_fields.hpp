#pragma once

#include "graph_json/fields.hpp"
#include "node/http/api.hpp"
#include "node/http/json_body.hpp"

/// Bodies that are read by a table of their members.
namespace troupe::http {

/// The body by a table; the call is answered if it is malformed, or has a query beside it.
template <class T, std::size_t N>
std::optional<T> body_of(const call_ptr& to, const graph_json::field<T> (&fields)[N]) {
  if (has_bad_query(to, {}))
    return {};
  auto parsed = read_json_body(to->in.body);
  if (auto wrong = refusal_of(parsed)) {
    to->out(std::move(*wrong));
    return {};
  }
  T x;
  graph_json::problem_list found;
  graph_json::read_object(std::span{fields}, x, parsed.content, graph_json::json_place{""}, found);
  if (found.is_empty())
    return x;
  to->out(problem_answer(error{ec::invalid_spec, "the request is not valid"}, found.release()));
  return {};
}

/// A string, whatever it says.
inline void read_text(std::string& to, value& from, const graph_json::json_place& at,
                      graph_json::problem_list& out) {
  if (auto text = from.string())
    to = *text;
  else
    out.wrong_type(at, from, "a string");
}

} // namespace troupe::http
