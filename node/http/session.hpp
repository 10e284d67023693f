#pragma once

#include "node/http/options.hpp"
#include "node/http/problem.hpp"
#include "node/http/router.hpp"
#include "node/http/wire.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

/// Inside the HTTP server only.
namespace troupe::http {

inline constexpr std::size_t session_read_bytes = 4 << 10;  ///< An idle connection holds no more.
inline constexpr std::chrono::seconds crowded_idle_time{5}; ///< Of a connection for operators.
inline constexpr std::size_t body_bytes_per_second_min = 16 << 10; ///< Of a body that is no stream.

/// Options that may be changed while they are used. Thread-safe. (The atomic `shared_ptr` of g++ 12
/// has a race of its own.)
class live_options {
public:
  explicit live_options(http_options x) { store(std::move(x)); }

  std::shared_ptr<const http_options> load() const {
    std::scoped_lock lock{mutex_};
    return now_;
  }
  void store(http_options x) {
    auto next = std::make_shared<const http_options>(std::move(x));
    std::scoped_lock lock{mutex_};
    now_ = std::move(next);
  }

private:
  mutable std::mutex mutex_;
  std::shared_ptr<const http_options> now_; ///< Not null.
};

/// What the connections of a server share.
struct shared_parts {
  live_options options; ///< Of new connections.
  router routes;
  byte_budget bodies{};             ///< Of requests.
  byte_budget answers{};            ///< Large ones, until they are written.
  std::atomic<std::size_t> open{0}; ///< Connections.
  std::atomic<bool> closing{false};
};

class session;

/// What has let a request in.
struct admission {
  std::string key; ///< As it was sent; may be empty.
  action needs{};
  namespace_id ns{};
};

/// One request and what becomes of it. Everything but the calls of `answer_sink` happens on the
/// connection's executor.
struct exchange : answer_sink, std::enable_shared_from_this<exchange> {
  explicit exchange(std::shared_ptr<session> x) : in(std::move(x)) {}

  void answer(response x) override;
  void when_unwanted(std::function<void(unwanted)> callback) override;
  void after(std::chrono::milliseconds time, std::function<void()> due) override;
  void tell(unwanted x);
  /// Lets go of all that was to be told: the answer is written.
  void finish();

  std::shared_ptr<session> in;
  std::optional<response> out;
  std::function<void(unwanted)> told;
  std::optional<unwanted> why;
  bool over = false; ///< The answer is written: nobody is told of anything any more.
  std::optional<asio::steady_timer> timer;
};

/// One connection: its requests, one after the other.
class session : public std::enable_shared_from_this<session> {
public:
  /// `crowded`: only the reserved part is left; it serves operators.
  session(std::unique_ptr<wire> x, shared_parts& shared, bool crowded);

  /// Serves until the connection ends.
  asio::awaitable<void> run();
  /// Ends after the request that goes on, if there is one; streams end with a farewell.
  void close_soon();
  /// Ends at once.
  void kill();
  /// Ends the request that goes on if its key does not let it in any more. A change whose body is
  /// there comes to its end.
  void check_key();

  auto executor() { return wire_->socket().get_executor(); }
  /// Goes on where something is waited for.
  void wake() { signal_.cancel(); }
  /// From now on the current exchange is told if the client goes.
  /// What it sends meanwhile is kept for later.
  void watch();
  /// The body of the current request is asked for its next piece.
  void want(body_source::taken then);

private:
  using parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
  using milliseconds = std::chrono::milliseconds;

  asio::awaitable<bool> one();
  asio::awaitable<bool> await_request();
  asio::awaitable<bool> read_header();
  asio::awaitable<std::size_t> read_more(milliseconds limit);
  std::optional<response> refuse(request& in, const route*& to);
  std::optional<response> refuse_place(const request& in, const std::string& named);
  std::optional<response> refuse_body(const request& in, const route& to) const;
  std::optional<response> authenticate(request& in, const route& to);
  bool is_withheld(const route& to) const;
  bool still_crowded();
  asio::awaitable<std::optional<response>> read_body(request& in);
  std::optional<response> add_to_body(request& in, result<std::string> piece) const;
  std::shared_ptr<held_bytes> room() const;
  asio::awaitable<result<std::string>> read_piece(milliseconds limit);
  asio::awaitable<bool> tell_continue();
  asio::awaitable<void> pump();
  asio::awaitable<void> listen();
  asio::awaitable<void> end_watch();
  asio::awaitable<void> end_pump();
  asio::awaitable<void> act(request in, const route& to);
  bool hold_answer(held_answer& room, const response& x, const request& in, const route* to) const;
  asio::awaitable<void> answer(std::optional<response> out, const request& in, const route* to);
  asio::awaitable<void> answer_unread(response x);
  asio::awaitable<bool> write(response x, const request& in);
  asio::awaitable<bool> write_stream(body_source& from);
  asio::awaitable<bool> write_piece(const std::string& piece);
  asio::awaitable<void> linger();
  std::string head_of(const response& x, const request& in) const;
  request take_request();
  void report(const request& in, const route* to, const served& line) const;

  std::unique_ptr<wire> wire_;
  std::string peer_;
  shared_parts& shared_;
  const std::shared_ptr<const http_options> options_; ///< In force when it began.
  bool crowded_;
  bool closing_ = false;
  bool idle_ = false; ///< Waits for the first byte of a request.
  asio::steady_timer signal_, body_signal_;
  boost::beast::flat_buffer buffer_;
  std::optional<parser> parser_;
  std::shared_ptr<exchange> current_;
  std::chrono::steady_clock::time_point begun_; ///< When the header of the request was there.
  bool keep_ = false;                           ///< The connection can be used again.
  bool unread_ = false;                         ///< Something came that is not looked at.
  bool chunked_ = false;                        ///< The answer's stream is.
  std::string reader_; ///< The origin of a page that may read the answer; empty: none.
  bool gone_ = false;
  std::optional<admission> let_in_; ///< The current request.
  bool revoked_ = false;            ///< Its key is worthless by now.
  bool watching_ = false, watch_over_ = false;
  body_source::taken want_;
  bool pumping_ = false, pump_over_ = false;
  bool owes_continue_ = false; ///< The client waits to be told before it sends its body.
};

} // namespace troupe::http
