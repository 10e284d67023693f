#pragma once

#include "node/http/message.hpp"

#include <span>

/// Paths and queries of URLs. Pure; any thread.
namespace troupe::http {

/// `text` with every `%XX` decoded. Nothing if one is malformed, stands for a byte of 0, or what
/// comes out is not UTF-8.
std::optional<std::string> percent_decoded(std::string_view text);

/// `path` with what need not be encoded in it decoded: letters, digits, `-`, `.`, `_`, `~` and `:`.
std::string with_plain_letters(std::string_view path);

/// Takes a query apart; `+` is a space. Errors: `invalid_spec` for a malformed one, and beyond
/// `limits::http_query_parts_max`.
result<query_arguments> parse_query(std::string_view text);

/// One parameter that a route knows.
struct parameter {
  std::string_view name;
  bool may_repeat = false;
};

/// Errors: `invalid_spec` for a parameter that is not `known`, or stands twice and must not.
status check_query(const query_arguments& query, std::span<const parameter> known);

/// The value of a parameter, or null.
const std::string* find(const query_arguments& query, std::string_view name);

/// A number of `least`…`most`; `otherwise` if there is no such parameter. Errors: `invalid_spec`.
result<std::uint64_t> number_in(const query_arguments& query, std::string_view name,
                                std::uint64_t otherwise, std::uint64_t least, std::uint64_t most);

/// `true` or `false`; false if there is no such parameter. A parameter without a value is true.
/// Errors: `invalid_spec`.
result<bool> flag_in(const query_arguments& query, std::string_view name);

} // namespace troupe::http
