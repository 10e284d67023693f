#pragma once

#include "node/errors.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// What speaks to a node over HTTP.
namespace troupe::client {

using node::answer;
using node::fault;
using node::trouble;

inline constexpr auto default_url = "http://127.0.0.1:7700";

inline constexpr std::chrono::milliseconds connect_time_max{5'000};
inline constexpr std::chrono::milliseconds answer_time_max{60'000};   ///< Of a whole answer.
inline constexpr std::chrono::milliseconds silence_max{45'000};       ///< Of a stream: three pings.
inline constexpr std::chrono::milliseconds look_every{50};            ///< For what `idle` asks.
inline constexpr std::size_t answer_bytes_max = std::size_t{1} << 29; ///< Of one that is no stream.
inline constexpr std::size_t token_bytes_max = 4096;

/// A node, and how it is called.
struct endpoint {
  std::string url = default_url; ///< Without a slash at its end.
  std::string named_by;          ///< What named it, for people: `--url`; empty: nothing did.
  std::string token;             ///< Empty: none.
  std::string ca_file;           ///< Whom TLS trusts, in PEM; empty: whom the system trusts.
  std::string agent = "troupe";
};

/// The same with a tidy URL. Faults: `bad_url`, `bad_usage` for a token that cannot be sent.
answer<endpoint> checked(endpoint x);

/// One thing that is asked of a node.
struct request {
  std::string method = "GET";
  std::string target; ///< Path and query, already encoded.
  std::string body;
  std::string type = "application/json";                   ///< Of the body, if there is one.
  std::vector<std::pair<std::string, std::string>> fields; ///< Of the header.
  std::chrono::milliseconds wait{}; ///< How long the node was asked to wait before it answers.
};

struct reply {
  int status = 0;
  std::string type;      ///< Of the body, without parameters.
  std::string body;      ///< Empty for a stream.
  bool replayed = false; ///< The header `Idempotency-Replayed`.
};

/// Asked every `look_every` while nothing happens; false gives up. May be empty.
using idle = std::function<bool()>;
/// Takes a piece of a stream; false gives up.
using sink = std::function<bool(std::string_view)>;

/// A connection to a node, made when it is needed and kept. One thread at a time.
class transport {
public:
  explicit transport(endpoint at);
  ~transport();
  transport(transport&&) noexcept;
  transport& operator=(transport&&) noexcept;

  const endpoint& at() const noexcept;

  /// Asks and returns the answer whole, whatever its status. Faults: `unreachable`,
  /// `strange_answer`, `interrupted` if `waiting` gives up, `timed_out` of `ec`.
  answer<reply> ask(const request& what, const idle& waiting = {});

  /// The same, but gives the body of a 200 to `to` as it comes, first nothing when its head has
  /// come. Faults: also `timed_out` after
  /// `silence_max` without a piece.
  answer<reply> stream(const request& what, const sink& to, const idle& waiting = {});

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::client
