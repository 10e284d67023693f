#include "node/http/reworded.hpp"

#include "graph_json/value_json.hpp"

#include <cassert>

namespace troupe::http {

response with_text(response x, std::string_view member, std::string text) {
  auto body = graph_json::parse_value(x.body);
  assert(body);
  (*body)[member] = std::move(text);
  x.body = graph_json::to_json(*body) + "\n";
  return x;
}

response with_line(response x, std::uint64_t number) {
  auto body = graph_json::parse_value(x.body);
  assert(body && body->find("detail"));
  auto text = "line " + std::to_string(number) + ": " + *body->find("detail")->string();
  return with_text(std::move(x), "detail", std::move(text));
}

} // namespace troupe::http
