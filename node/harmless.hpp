#pragma once

#include <string>
#include <string_view>

/// Text that is not ours, on terminals. Pure; any thread.
namespace troupe::node {

/// How many bytes the character that `text` begins with has if it could steer a terminal, or turn
/// the order of what that shows, and is no C0 control: DEL, C1 controls (U+0080 to U+009F), and
/// what embeds, overrides or isolates directions (U+202A to U+202E, U+2066 to U+2069). 0: it could
/// not.
std::size_t steering_bytes(std::string_view text);

/// JSON text with each such character in its strings as an escape: the same value.
std::string harmless(std::string_view json);

} // namespace troupe::node
