#include "node/http/job_request.hpp"

#include "core/names.hpp"
#include "core/time_text.hpp"
#include "graph_json/fields.hpp"
#include "graph_json/graph_json.hpp"
#include "graph_json/value_json.hpp"

namespace troupe::http {

namespace {

using graph_json::json_place;
using graph_json::problem_list;

void read_graph(job_request& to, value& from, const json_place& at, problem_list& out) {
  auto text = from.string();
  if (!text)
    return out.wrong_type(at, from, "a graph, or the id of one");
  if (auto id = parse_graph_id(*text))
    to.spec.graph = *id;
  else
    out.add("bad_value", at, core::quoted(*text) + " is no graph id: 64 hexadecimal digits");
}

void read_input(job_request& to, value& from, const json_place&, problem_list&) {
  to.spec.input = std::move(from);
}

void read_queue(job_request& to, value& from, const json_place& at, problem_list& out) {
  graph_json::read_name(to.spec.queue, from, at, out);
}

void read_labels(job_request& to, value& from, const json_place& at, problem_list& out) {
  auto members = from.members();
  if (!members)
    return out.wrong_type(at, from, "an object of strings");
  if (members->size() > limits::labels_max)
    return out.add("too_many", at,
                   std::to_string(members->size()) + "; at most "
                       + std::to_string(limits::labels_max));
  for (auto& [key, x] : *members) {
    auto text = x.string();
    if (!core::is_name(key))
      out.add("bad_name", at / key,
              core::quoted(key) + " is no name: 1 to 128 of A-Z a-z 0-9 _ . : -");
    else if (!text)
      out.wrong_type(at / key, x, "a string");
    else if (text->size() > limits::label_bytes_max)
      out.add("too_large", at / key,
              "at most " + std::to_string(limits::label_bytes_max) + " bytes");
    else
      to.spec.labels[key] = *text;
  }
}

void read_retention(job_request& to, value& from, const json_place& at, problem_list& out) {
  graph_json::read_positive_duration(to.spec.retention.emplace(), from, at, out);
}

void read_expires_in(job_request& to, value& from, const json_place& at, problem_list& out) {
  graph_json::read_positive_duration(to.spec.expires_after.emplace(), from, at, out);
}

void read_expires_at(job_request& to, value& from, const json_place& at, problem_list& out) {
  auto text = from.string();
  if (!text)
    return out.wrong_type(at, from, "a time such as \"2030-01-31T12:00:00Z\"");
  auto time = core::parse_time(*text);
  if (!time)
    return out.add("bad_value", at,
                   core::quoted(*text) + " is no time of RFC 3339: \"2030-01-31T12:00:00Z\"");
  if (*time <= time_point{})
    return out.add("out_of_range", at, "it must be after the beginning of 1970");
  to.spec.expires_at = *time;
}

void read_max_parallel(job_request& to, value& from, const json_place& at, problem_list& out) {
  graph_json::read_count(to.spec.max_parallel, from, 1, 1'000'000, at, out);
}

void read_key(job_request& to, value& from, const json_place& at, problem_list& out) {
  auto text = from.string();
  if (!text)
    return out.wrong_type(at, from, "a string");
  if (auto key = idempotency_key_of(text); key && !key->empty())
    to.spec.idempotency_key = *key;
  else
    out.add("bad_value", at, "1 to 255 printable characters of ASCII, no spaces");
}

// The last one is for lines of a batch only.
constexpr graph_json::field<job_request> fields[] = {
    {"graph", read_graph},           {"input", read_input},
    {"queue", read_queue},           {"labels", read_labels},
    {"retention", read_retention},   {"max_parallel", read_max_parallel},
    {"expires_in", read_expires_in}, {"expires_at", read_expires_at},
    {"idempotency_key", read_key},
};

void add_all(problems from, problems& to) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

} // namespace

read_request read_job_request(std::string_view text, bool in_batch) {
  auto parsed = graph_json::parse_members(text, "graph", {limits::http_graph_vertices_max});
  read_request x;
  x.errors = std::move(parsed.errors);
  if (parsed.malformed) {
    x.malformed = refusal::bad_json;
    return x;
  }
  problem_list found;
  json_place root{""};
  auto& others = parsed.others;
  if (!parsed.graph && !others.find("graph") && others.find("vertices")) {
    found.add("missing_key", root, "this looks like a graph: send it as {\"graph\": …}");
    add_all(found.release(), x.errors);
    return x;
  }
  auto known = std::span{fields}.first(std::size(fields) - (in_batch ? 0 : 1));
  for (auto& [key, member] : *parsed.others.members())
    graph_json::read_field<job_request>(known, x.request, key, member, root, found);
  if (found.is_empty() && others.find("expires_in") && others.find("expires_at"))
    found.add("bad_value", root / "expires_in",
              "`expires_in` and `expires_at` do not go together: leave one of them out");
  if (!parsed.graph && !parsed.others.find("graph") && x.errors.empty())
    found.missing_key(root, "graph");
  add_all(found.release(), x.errors);
  x.request.graph = std::move(parsed.graph);
  return x;
}

response answer_of(const read_request& x) {
  if (x.malformed)
    return problem_answer(*x.malformed, x.errors.front().detail);
  return problem_answer(error{ec::invalid_spec, "the request is not valid"}, x.errors);
}

value problem_of(const read_request& x) {
  if (x.malformed)
    return problem_value(*x.malformed, x.errors.front().detail);
  return problem_value(error{ec::invalid_spec, "the request is not valid"}, x.errors);
}

result<std::string> idempotency_key_of(const std::string* field) {
  if (!field)
    return std::string{};
  std::string_view key = *field;
  if (key.size() >= 2 && key.starts_with('"') && key.ends_with('"'))
    key = key.substr(1, key.size() - 2);
  auto prints = [](unsigned char c) { return c > ' ' && c < 0x7f; };
  if (key.empty() || key.size() > limits::idempotency_key_bytes_max
      || !std::ranges::all_of(key, prints))
    return error{ec::invalid_spec,
                 "the header Idempotency-Key has 1 to "
                     + std::to_string(limits::idempotency_key_bytes_max)
                     + " printable characters of ASCII, no spaces; quotes around it do not count"};
  return std::string{key};
}

} // namespace troupe::http
