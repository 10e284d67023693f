#pragma once

#include "node/http/options.hpp"
#include "node/http/problem.hpp"

/// What a request's head says, and what is refused of it whatever the route. Pure; any thread.
namespace troupe::http {

/// Where a request goes.
struct request_target {
  std::string authority; ///< Of a target in absolute form, else empty: the header Host has it.
  std::string path;
  std::string query; ///< Without its mark.
};

/// Takes a target apart: `/v1/jobs?limit=1`, or `http://localhost:7700/v1/jobs?limit=1` (RFC 9112,
/// 3.2.2). Errors: `invalid_spec`.
result<request_target> target_of(std::string_view text);

/// Whether this is `host`, or `host:port` with a port that there can be.
bool is_authority(std::string_view text);

/// A head that could be understood in two ways, or a coding that nobody takes off here.
/// `is_old`: it is of HTTP/1.0.
std::optional<response> refuse_head(const headers& fields, bool is_old);

/// Whether a list of entity tags has this one, or is `*` (RFC 9110, 13.1.2).
bool names_tag(const headers& fields, std::string_view name, std::string_view tag);

/// Whether a client would rather have an answer of this type than of the `usual` one (RFC 9110,
/// 12.5.1): it wants it more, or as much and names it. What is malformed in its list is ignored.
bool prefers(const headers& fields, std::string_view type, std::string_view usual);

/// Whether a client takes an answer of this type: its list does, or it has sent none.
bool accepts(const headers& fields, std::string_view type);

/// Whether the client waits to be told before it sends its body; one of HTTP/1.0 never does.
bool waits_for_continue(const headers& fields, bool is_old);

/// Whether text of this `Content-Type` is UTF-8: it names no other charset.
bool is_utf8(const std::string* content_type);

} // namespace troupe::http
