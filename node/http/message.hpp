#pragma once

#include "node/http/byte_budget.hpp"
#include "node/security/roles.hpp"
#include "troupe/error.hpp"
#include "troupe/ids.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The HTTP interface of a node: own types, so that no other header knows the library below.
namespace troupe::http {

/// Header fields in the order of their arrival. Names are compared without regard to case.
class headers {
public:
  /// The value of the first field of this name, or null.
  const std::string* find(std::string_view name) const noexcept;
  /// How many fields of this name there are.
  std::size_t count(std::string_view name) const noexcept;
  /// Adds a field. Line ends in it become spaces: no value can begin another field.
  void add(std::string name, std::string value);

  auto begin() const noexcept { return all_.begin(); }
  auto end() const noexcept { return all_.end(); }

private:
  std::vector<std::pair<std::string, std::string>> all_;
};

/// Whether two texts of ASCII are the same but for the case of letters.
bool same_word(std::string_view a, std::string_view b) noexcept;
/// The same text, its letters of ASCII in lower case.
std::string lowered(std::string_view text);

/// Why nobody waits for an answer any more.
enum class unwanted : std::uint8_t {
  gone,    ///< The client has closed the connection.
  closing, ///< The server ends: answer what is known.
  revoked, ///< The key is no longer valid: an answer that only reads is not sent any more.
};

/// A body that goes in pieces, one at a time: whoever gives is never ahead of whoever takes.
class body_source {
public:
  using taken = std::function<void(result<std::string>)>;

  virtual ~body_source() = default;

  /// Has `then` called once, here or on any thread, with the next piece; an empty one is the end.
  /// Not again before it was called.
  virtual void next(taken then) = 0;
  /// What is sent while nothing comes, so that the connection is seen to live; may be empty. Beside
  /// a `next` that goes on: it must be thread-safe.
  virtual std::string idle() { return {}; }
  /// What is sent last if the connection ends before the source does, because of `why`, which is
  /// not `gone`; may be empty.
  virtual std::string farewell(unwanted why) {
    static_cast<void>(why);
    return {};
  }
  /// Told that the connection is to end because the server does. True: `next` gives what is
  /// on its way, and then ends by itself, soon; else what is sent last is `farewell`. On the
  /// connection's executor.
  virtual bool wind_up() { return false; }
  /// Told that who took it was cut off, having taken nothing for too long.
  virtual void cut() {}
  /// What came of it, for the log of changes; asked when nothing more is sent. May be empty.
  virtual std::string done() { return {}; }
};

using node::action;
using node::principal;
using node::role;

/// The parts of a path that a route leaves open.
struct path_arguments {
  job_id job{};
  graph_id graph{};
  std::string name;
};

/// A query: `key=value` pairs, decoded. Each key stands at most once, but for those that may be
/// repeated.
using query_arguments = std::multimap<std::string, std::string, std::less<>>;

/// One request, checked as far as its route tells.
struct request {
  std::string method;
  std::string target; ///< As it was sent,
  std::string path;   ///< and without the query.
  query_arguments query;
  path_arguments arguments;
  headers fields;
  std::string body;                    ///< Whole, if the route wants that.
  std::shared_ptr<body_source> stream; ///< Else, if the route takes a stream.
  std::shared_ptr<held_bytes> room;    ///< That the body takes; null: it is not counted.
  std::string id;                      ///< `X-Request-Id`, sent or made here.
  principal who;
};

/// One answer.
struct response {
  int status = 200;
  std::string type = "application/json"; ///< Of the body; nothing is said of an empty one.
  std::string body{};
  std::shared_ptr<body_source> stream{}; ///< In place of `body`, if set.
  std::optional<std::uint64_t> length{}; ///< Of the stream, if that is known.
  headers fields{};
  bool close = false; ///< The connection is not to be used again.
  std::string done{}; ///< What came of the request, for the log of changes: numbers, ids.
  job_id job{};       ///< What it tells of, for the log; zero: the job that the path names.
};

/// Where an answer goes: one exchange of a connection.
class answer_sink {
public:
  virtual ~answer_sink() = default;
  virtual void answer(response x) = 0;
  virtual void when_unwanted(std::function<void(unwanted)> told) = 0;
  virtual void after(std::chrono::milliseconds time, std::function<void()> due) = 0;
};

/// Answers one request exactly once, from any thread; later answers are dropped. One that goes
/// without an answer answers 500. It must not outlive the server.
class responder {
public:
  explicit responder(std::shared_ptr<answer_sink> to) : to_(std::move(to)) {}
  ~responder();
  responder(responder&&) noexcept = default;
  responder& operator=(responder&&) = delete;

  void operator()(response x);
  /// Has `told` called, at most once, when nobody waits any more. It may be on any thread, and
  /// after the answer to a stream has begun, too.
  void when_unwanted(std::function<void(unwanted)> told);
  /// Has `due` called after this time, unless the exchange is over by then. One at a time.
  void after(std::chrono::milliseconds time, std::function<void()> due);

private:
  std::shared_ptr<answer_sink> to_;
  std::unique_ptr<std::atomic<bool>> answered_ = std::make_unique<std::atomic<bool>>(false);
};

/// A request and the way back.
struct call {
  request in;
  responder out;
};
using call_ptr = std::shared_ptr<call>;

} // namespace troupe::http
