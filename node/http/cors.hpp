#pragma once

#include "node/http/options.hpp"

/// Calls by pages of other origins (CORS), for those of `http_options::allowed_origins` only. Never
/// with credentials of the browser: a page sends a key itself. Pure; any thread.
namespace troupe::http {

/// The origin whose pages may read the answer; empty if the call is from no page, or one of this
/// node's own.
std::string reader_of(const http_options& x, const request& in);

/// Whether a browser asks what a page may send.
bool is_preflight(const request& in);
/// The answer to that, for a path that takes these methods.
response preflight_answer(const std::vector<std::string>& methods);

/// The fields of every answer: `reader` is what `reader_of` has told.
headers cors_fields(const http_options& x, const std::string& reader);

} // namespace troupe::http
