#pragma once

#include "node/http/message.hpp"

#include <variant>

/// Which route takes a request. Pure; any thread.
namespace troupe::http {

/// What a route wants of a request's body.
enum class body_mode : std::uint8_t {
  none,   ///< There must be none.
  empty,  ///< None, or JSON.
  json,   ///< JSON, whole.
  ndjson, ///< Lines of JSON, as a stream.
  bytes,  ///< Anything, as a stream.
};

/// Whether a route gets the body piece by piece.
constexpr bool is_stream(body_mode x) noexcept {
  return x == body_mode::ndjson || x == body_mode::bytes;
}

/// One path by one method.
struct route {
  std::string method;
  /// `/v1/jobs/{job}:cancel`: literal parts, open ones, and a verb behind the last `:`. An open
  /// part is typed by its name: `{job}`, `{graph}` are ids, any other is a name.
  std::string path;
  std::function<void(call_ptr)> act; ///< On a thread of the server: it must not block.
  body_mode body = body_mode::none;
  std::optional<action> needs = action::look; ///< Nothing: no key is needed.
  /// What to do in place of a POST with an `Idempotency-Key`, which is refused. Nothing: it is
  /// taken.
  std::optional<std::string> instead_of_key = "leave it out";
};

/// A path pattern, taken apart.
class path_pattern {
public:
  /// The pattern must be well-formed; only the tree's own ones come here.
  explicit path_pattern(std::string_view pattern);

  /// The open parts of a path that fits, still encoded, by name. Nothing if it does not fit.
  std::optional<std::vector<std::pair<std::string_view, std::string>>>
  match(std::string_view path) const;

private:
  struct part {
    std::string text; ///< A literal, or the name of an open part.
    bool is_open = false;
  };
  std::vector<part> parts_;
  std::string verb_;
};

/// Why no route takes a request.
struct unrouted {
  int status = 404; ///< 400, 404 or 405.
  std::string detail;
  std::vector<std::string> allowed; ///< With 405: the methods.
  error why = ec::none;             ///< With 404, if an id is none: `no_such_job`, ….
};

struct routed {
  const route* to = nullptr;
  path_arguments arguments;
};

class router {
public:
  explicit router(std::vector<route> routes);

  /// The route of a method and a path without its query, in whichever coding of its letters. HEAD
  /// goes where GET goes.
  std::variant<routed, unrouted> find(std::string_view method, std::string_view path) const;
  const std::vector<route>& routes() const noexcept { return routes_; }

private:
  std::vector<route> routes_;
  std::vector<path_pattern> patterns_;
};

} // namespace troupe::http
