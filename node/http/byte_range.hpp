#pragma once

#include "node/http/message.hpp"

/// Parts of an answer, as `Range` asks for them (RFC 9110, 14). Pure; any thread.
namespace troupe::http {

/// Bytes of a content.
struct byte_range {
  std::uint64_t first = 0, count = 0;
  bool operator==(const byte_range&) const = default;
};

/// What the fields of a `GET` ask for of a content of so many bytes whose `ETag` is `tag`. Without
/// a count: nothing of that is there. Nothing: they ask for all of it, as also by what is no range,
/// by several of them, and by an `If-Range` that is not this tag.
std::optional<byte_range> range_of(const headers& fields, std::uint64_t bytes,
                                   std::string_view tag);

/// The value of `Content-Range`.
std::string content_range(const byte_range& part, std::uint64_t bytes);

} // namespace troupe::http
