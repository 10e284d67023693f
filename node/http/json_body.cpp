#include "node/http/json_body.hpp"

#include "graph_json/exact_json.hpp"

namespace troupe::http {

json_body read_json_body(std::string_view text) {
  auto parsed = graph_json::parse_exact(text);
  if (!parsed)
    return {{}, parsed.error().detail, {}};
  return {std::move(parsed->content), {}, std::move(parsed->rounded)};
}

std::optional<response> refusal_of(const json_body& x) {
  if (x.malformed)
    return problem_answer(refusal::bad_json, *x.malformed);
  if (!x.errors.empty())
    return problem_answer(error{ec::invalid_spec, "the request is not valid"}, x.errors);
  return {};
}

} // namespace troupe::http
