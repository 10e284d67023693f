#pragma once

#include "core/bytes.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Bytes as text for JSON (RFC 4648, section 4). Pure; any thread.
namespace troupe::graph_json {

std::string base64(core::byte_view data);

/// Nothing if it is no base64 with padding, or another form than `base64` writes.
std::optional<core::bytes> parse_base64(std::string_view text);

} // namespace troupe::graph_json
