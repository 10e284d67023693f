#pragma once

#include "node/http/message.hpp"
#include "troupe/problem.hpp"
#include "troupe/value.hpp"

#include <span>

/// Refusals as problem objects (RFC 9457), with the codes of `docs/errors.md`.
namespace troupe::http {

/// What the HTTP interface itself refuses; all else is an `ec`.
enum class refusal : std::uint8_t {
  bad_request,      ///< It is not HTTP, or a part of it is malformed.
  bad_json,         ///< The body is not JSON.
  bad_query,        ///< The query has an unknown or malformed part.
  no_such_route,    ///< Nothing is at this path.
  wrong_method,     ///< Something is, but not by this method.
  wrong_media_type, ///< The body is of another type than the route takes.
  body_too_large,
  header_too_large,
  too_slow,     ///< It did not come whole in time.
  no_key,       ///< No key, or one that is not valid.
  forbidden,    ///< The key's role or namespace does not allow it.
  foreign_host, ///< `Host` is not of the allow-list.
  foreign_origin,
  kind_not_allowed, ///< A graph has a vertex of a kind that may not come over HTTP.
  too_many_connections,
  closing, ///< The server is about to end.
  no_metrics,
  unexpected, ///< A defect of the program.
  no_such_blob,
  other_content,   ///< What came is not what its name says.
  not_json,        ///< A blob was wanted as JSON, and holds no value.
  queue_busy,      ///< An exclusive queue has an unfinished job.
  no_task,         ///< There is no task that the step could be taken with.
  repeated_header, ///< A header that there must be one of stands twice.
  transfer_coding, ///< The body comes in a way that is not understood.
  content_coding,  ///< The body is compressed, or coded otherwise.
  no_such_key,
  locks_out, ///< Nobody could manage keys any more.
  no_such_range,
  no_instruction, ///< What a task is to be told is missing.
};

constexpr refusal last(refusal) noexcept { return refusal::no_instruction; }

/// One line of the table of refusals. Numbers are stable: they are never given again.
struct refusal_kind {
  std::string_view number; ///< `E0201`; `docs/errors.md` has a paragraph for each.
  std::string_view code;
  int status = 400;
  std::string_view title;
  std::string_view next; ///< What the caller can do.
};
std::span<const refusal_kind> refusal_kinds();
const refusal_kind& kind_of(refusal x);

/// What is said of a body that did not come whole, `x` being why.
constexpr refusal refusal_of_body(ec x) noexcept {
  return x == ec::timed_out ? refusal::too_slow : refusal::bad_request;
}

/// The status that answers a code. `x` must not be `none`.
int status_of(ec x) noexcept;

/// The problem object of a refusal, as an answer. `found` becomes `errors`.
response problem_answer(refusal x, std::string detail, const problems& found = {});
/// The same for an error of the runtime; with `Retry-After` where repeating it helps.
response problem_answer(const error& x, const problems& found = {});
/// The body alone, for an answer in a line of NDJSON.
value problem_value(const error& x, const problems& found = {});
value problem_value(refusal x, std::string detail, const problems& found = {});

/// An answer with JSON.
response json_answer(int status, const value& x);

} // namespace troupe::http
