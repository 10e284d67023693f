#pragma once

#include "node/http/message.hpp"
#include "troupe/limits.hpp"

#include <set>

namespace troupe::http {

/// One request that was answered.
struct served {
  std::string_view route; ///< The pattern of its path; empty if there is none.
  std::string_view method;
  int status = 0;
  std::chrono::nanoseconds took{}; ///< Until the first byte of the answer.
  std::string_view request_id;
  const principal* who = nullptr; ///< Null before it was known.
  std::string_view path;
  std::string_view target; ///< The path with its query.
  std::string_view done;   ///< What came of it: what was made, or numbers; may be empty.
  bool gone = false;       ///< The client did not wait for the end of the answer.
  std::string_view peer;   ///< The client's address.
  job_id job{};            ///< What it was about, or what it made; zero: no single job.
};

/// Of the answers that clients have not taken yet, those of at most `limits::http_small_body_bytes`
/// and streams aside.
inline constexpr std::size_t answers_bytes_usual = 256 << 20;

/// How a server is opened. What is left out has the value that stands here.
struct http_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 7700; ///< 0: any free one; `server::port` tells it.
  unsigned threads = 0;      ///< 0: one for each core, at most 4.
  std::size_t header_bytes_max = limits::http_header_bytes_max;
  std::size_t body_bytes_max = limits::http_body_bytes_max;
  /// Of the bodies of all requests together; of it `body_bytes_max` is less than three quarters.
  std::size_t bodies_bytes_max = limits::http_bodies_bytes_max;
  std::size_t answers_bytes_max = answers_bytes_usual; ///< One larger one may go alone.
  std::size_t connections_max = limits::http_connections_max;
  std::size_t connections_reserved = limits::http_connections_reserved;
  std::chrono::milliseconds header_time = limits::http_header_time;
  std::chrono::milliseconds idle_time = limits::http_idle_time;
  std::chrono::milliseconds body_time = limits::http_body_time;
  std::chrono::milliseconds write_time = limits::http_write_time;
  std::chrono::milliseconds ping_interval = limits::http_ping_interval;
  /// Names that `Host` may have, besides the address and those of this machine's loopback, in lower
  /// case. `*`: all.
  std::set<std::string> allowed_hosts{};
  /// `https://example.org`, in lower case; the node's own are always.
  std::set<std::string> allowed_origins{};
  std::string tls_cert{}, tls_key{}; ///< Files in PEM; both or none.

  /// Who has this key; the text is empty if none was sent. Any thread; must not block. Unset: every
  /// caller is an admin. Errors: any; the answer is 401.
  std::function<result<principal>(std::string_view key)> authenticate{};
  /// Asked before a change is made, see `is_change`. Any thread; must not block. Errors: any; they
  /// are the answer. Unset: changes may always be made.
  std::function<status()> may_change{};
  /// Told of each request that was answered, in its order on one connection. Any thread; must not
  /// block. May be unset.
  std::function<void(const served&)> observe{};
  /// Told of each change whose maker is known, also of a refused one, as `observe`.
  std::function<void(const served&)> audit{};
  /// Told of who was refused for want of room, with the word for that. Any thread; must not block.
  std::function<void(std::string_view reason)> rejected{};
};

/// Whether a request is to change something for somebody: by its method, or because the job is
/// cancelled when its client goes. What workers say is none: it stands in the events of jobs.
bool is_change(const request& in, std::optional<action> needs);

/// Whether `authority` (the value of `Host`) names this server.
bool names_this(const http_options& x, std::string_view authority);

/// Whether a page of `origin` may call, `authority` being the allowed value of `Host`.
bool may_call(const http_options& x, std::string_view origin, std::string_view authority);

/// The id that a request has sent, if it is 1 to 128 letters, digits, `-`, `_`, `.`, else a new
/// one.
std::string request_id_of(const std::string* sent);

/// The key of an `Authorization` field; empty if there is none. Errors: `invalid_spec` for anything
/// but `Bearer KEY`.
result<std::string_view> bearer_of(const std::string* field);

/// Whether a `Content-Type` is this one, parameters aside.
bool is_type(const std::string* field, std::string_view type);

} // namespace troupe::http
