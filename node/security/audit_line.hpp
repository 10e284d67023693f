#pragma once

#include "core/types.hpp"
#include "node/security/roles.hpp"
#include "troupe/error.hpp"

#include <optional>
#include <string>
#include <string_view>

/// One line of the audit files: what it says, and how lines hang together. Pure; any thread.
namespace troupe::node {

/// One change that somebody made, or was refused.
struct audit_entry {
  principal who{};
  std::string act{};     ///< The method and the route: `POST /v1/jobs/{job}:cancel`.
  std::string target{};  ///< The path with its query, as it was sent, but for keys.
  std::string outcome{}; ///< `audit_ok`, `audit_gone`, or the status of the refusal.
  std::string request{}; ///< The id of the request.
  std::string peer{};    ///< From where.
  std::string result{};  ///< What came of it: what was made, numbers; empty: nothing to tell.
};

inline constexpr std::string_view audit_ok = "ok"; ///< The outcome of a change that was made.
/// The client did not wait for the answer: the change was made, mostly.
inline constexpr std::string_view audit_gone = "gone";

/// Where a chain of lines stands: the number of its newest line, and that line's hash.
struct audit_head {
  std::uint64_t number = 0;
  std::string hash = std::string(64, '0'); ///< SHA-256, hexadecimal.
  bool operator==(const audit_head&) const = default;
};

inline constexpr std::size_t audit_text_bytes_max = 1024; ///< Of each text; the rest is cut.

/// The line that follows `head`, with its end of line, and moves the head to it. A line is the
/// canonical JSON (RFC 8785) of an object, without secrets of keys; its `hash` is the SHA-256 of
/// the same without `hash`, which has the hash of the line before as `prev`.
std::string audit_line(const audit_entry& x, core::shard_time now, audit_head& head);

/// Follows a chain line by line.
class audit_chain {
public:
  /// Begins at the beginning.
  audit_chain() = default;
  /// Begins behind lines that are kept no longer: the first line that is shown is believed.
  static audit_chain later() {
    audit_chain x;
    x.begun_ = false;
    return x;
  }

  /// Why this line does not follow the ones before; nothing if it does.
  std::optional<std::string> next(std::string_view line);

  const audit_head& head() const noexcept { return head_; }

private:
  audit_head head_;
  bool begun_ = true;
};

/// The number and hash that a line says it has; nothing if it says none.
std::optional<audit_head> claimed_head(std::string_view line);

} // namespace troupe::node
