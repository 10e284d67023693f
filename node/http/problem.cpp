#include "node/http/problem.hpp"

#include "core/secrets.hpp"
#include "graph_json/value_json.hpp"
#include "node/errors.hpp"

#include <cassert>

namespace troupe::http {

namespace {

/// In the order of `refusal`.
constexpr refusal_kind kinds[] = {
    {"E0201", "bad_request", 400, "this is not a valid HTTP request", "correct the request"},
    {"E0202", "bad_json", 400, "the body is not JSON", "correct the body where `detail` says"},
    {"E0203", "bad_query", 400, "the query is not valid", "use the parameters that `detail` names"},
    {"E0204", "no_such_route", 404, "there is nothing at this path",
     "GET /v1/openapi.json lists all paths"},
    {"E0205", "wrong_method", 405, "this path does not take the method",
     "use a method that the header Allow names"},
    {"E0206", "wrong_media_type", 415, "the body is of a type that is not taken here",
     "send it with the Content-Type that `detail` names"},
    {"E0207", "body_too_large", 413, "the body is too large",
     "send less, or several requests, or a batch"},
    {"E0208", "header_too_large", 431, "the header is too large", "send fewer or shorter fields"},
    {"E0209", "too_slow", 408, "the request did not come whole in time", "send it again, faster"},
    {"E0210", "no_key", 401, "a valid key is needed",
     "send the header Authorization: Bearer KEY; `troupe keys create` makes one"},
    {"E0211", "forbidden", 403, "the key does not allow this",
     "use a key of the role that `detail` names"},
    {"E0212", "foreign_host", 403, "the header Host names none of this node's hosts",
     "use one of its names, or add this one to http.allowed_hosts (`troupe serve --allow-host`)"},
    {"E0213", "foreign_origin", 403, "a page of another origin must not call this node",
     "add the origin to http.allowed_origins"},
    {"E0214", "kind_not_allowed", 403, "a vertex is of a kind that is not allowed over HTTP",
     "allow the kind in kinds.allow (`troupe serve --allow-kind`), with a key that is an "
     "operator's"},
    {"E0215", "too_many_connections", 503, "too many connections are open",
     "repeat it after a while, over fewer connections"},
    {"E0216", "closing", 503, "the node is about to end", "repeat it when the node is back"},
    {"E0217", "no_metrics", 404, "this node has no metrics", "start it with metrics"},
    {"E0218", "unexpected_fault", 500, "something went wrong that should not",
     "please report it with the request and its X-Request-Id"},
    {"E0219", "no_such_blob", 404, "no blob of this name is kept here",
     "store it with PUT; what no job names goes after a while"},
    {"E0220", "other_content", 422, "the content is not what its name says",
     "send it under the SHA-256 of its bytes, which `detail` tells"},
    {"E0221", "not_json", 406, "the blob holds no value", "ask without `Accept: application/json`"},
    {"E0222", "queue_busy", 409, "the queue takes one job at a time, and has one",
     "wait for the end of the job that `detail` names"},
    {"E0223", "no_task", 400, "there is no task for this",
     "GET /api/tasks/status tells of the task"},
    {"E0224", "repeated_header", 400, "a header stands more than once that there must be one of",
     "send the header that `detail` names once"},
    {"E0225", "transfer_coding", 501, "the body comes in a transfer coding that is not taken here",
     "send it with Content-Length, or with `Transfer-Encoding: chunked` alone"},
    {"E0226", "content_coding", 415, "the body is coded, which is not taken here",
     "send it as it is, not compressed, and without the header Content-Encoding"},
    {"E0227", "no_such_key", 404, "there is no such key", "GET /v1/keys lists the keys"},
    {"E0228", "locks_out", 409, "nobody could manage keys any more",
     "make a key of the role admin first, or use another one"},
    {"E0229", "no_such_range", 416, "the content has no such bytes",
     "ask for bytes that `Content-Range` counts, or for all of them"},
    {"E0230", "no_instruction", 400, "the request does not say what to tell the task",
     "send it as the text `reason`"},
};
static_assert(std::size(kinds) == static_cast<std::size_t>(last(refusal{})) + 1);

constexpr auto retry_after_s = "1";

value errors_of(const problems& found) {
  value::list all;
  for (auto& x : found)
    all.emplace_back(value::object{{"code", x.code},
                                   {"pointer", core::without_secrets(x.pointer)},
                                   {"detail", core::without_secrets(x.detail)}});
  return all;
}

value body_of(int status, std::string_view number, std::string_view code, std::string_view title,
              std::string_view detail, std::string_view next, const problems& found) {
  value::object all{{"type", "urn:troupe:problem:" + std::string{code}},
                    {"status", status},
                    {"number", number},
                    {"code", code},
                    {"title", title},
                    {"detail", core::without_secrets(detail)},
                    {"next", next}};
  if (!found.empty())
    all.emplace("errors", errors_of(found));
  return all;
}

response answer_of(int status, const value& body) {
  response x{status, "application/problem+json", graph_json::to_json(body) + "\n"};
  if (status == 429 || status == 503)
    x.fields.add("Retry-After", retry_after_s);
  if (status == 401)
    x.fields.add("WWW-Authenticate", "Bearer");
  return x;
}

/// What the caller of an HTTP interface can do, where it is not what a user of the program can.
std::string_view next_of(ec x) {
  switch (x) {
  case ec::no_such_job: return "GET /v1/jobs lists jobs";
  case ec::no_such_graph: return "send the graph itself, or register it with POST /v1/graphs";
  case ec::no_such_vertex: return "GET /v1/jobs/{job}/vertices lists the vertices";
  case ec::illegal_request: return "GET /v1/jobs/{job} tells the state";
  case ec::invalid_spec: return "correct what `errors` and `detail` name";
  case ec::not_ready: return "repeat it when the node is back";
  case ec::unsupported: return "see what `detail` names";
  case ec::no_space: return "free space on the node's disk; jobs can still be read";
  case ec::journal_failed: return "check the node's disk, then start it again";
  default: return node::kind_of(x).next;
  }
}

} // namespace

std::span<const refusal_kind> refusal_kinds() { return kinds; }

const refusal_kind& kind_of(refusal x) { return kinds[static_cast<std::size_t>(x)]; }

// One table.
int status_of(ec x) noexcept {
  switch (x) {
  case ec::no_such_job:
  case ec::no_such_graph:
  case ec::no_such_vertex: return 404;
  case ec::stale_token:
  case ec::illegal_request:
  case ec::condition_failed: return 409;
  case ec::too_large: return 413;
  case ec::invalid_spec:
  case ec::idempotency_conflict: return 422;
  case ec::overloaded: return 429;
  case ec::unsupported: return 501;
  case ec::fenced:
  case ec::journal_failed:
  case ec::already_open:
  case ec::not_ready: return 503;
  case ec::timed_out: return 504;
  case ec::no_space: return 507;
  case ec::none: assert(false); return 500;
  case ec::journal_corrupt:
  case ec::unknown_record:
  case ec::newer_format:
  case ec::wrong_node:
  case ec::io_failed:
  case ec::blob_missing: return 500;
  }
  return 500;
}

value problem_value(const error& x, const problems& found) {
  auto& kind = node::kind_of(x.code);
  return body_of(status_of(x.code), kind.number, kind.name, kind.what,
                 x.detail.empty() ? kind.why : std::string_view{x.detail}, next_of(x.code), found);
}

value problem_value(refusal x, std::string detail, const problems& found) {
  auto& kind = kind_of(x);
  return body_of(kind.status, kind.number, kind.code, kind.title, detail, kind.next, found);
}

response problem_answer(const error& x, const problems& found) {
  return answer_of(status_of(x.code), problem_value(x, found));
}

response problem_answer(refusal x, std::string detail, const problems& found) {
  return answer_of(kind_of(x).status, problem_value(x, std::move(detail), found));
}

response json_answer(int status, const value& x) {
  return {status, "application/json", graph_json::to_json(x) + "\n"};
}

} // namespace troupe::http
