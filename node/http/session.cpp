#include "node/http/session.hpp"
#include "node/http/request_head.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace troupe::http {

namespace {

constexpr auto told = asio::as_tuple(asio::use_awaitable);
constexpr auto never = std::chrono::steady_clock::time_point::max();
constexpr int unauthorised = 401;
constexpr std::chrono::hours listen_time{24 * 365}; ///< As long as any answer is waited for.

/// The body of a request, for its handler.
class incoming : public body_source {
public:
  explicit incoming(std::shared_ptr<session> from) : from_(std::move(from)) {}
  void next(taken then) override {
    asio::dispatch(from_->executor(), [from = from_, then = std::move(then)]() mutable {
      from->want(std::move(then));
    });
  }

private:
  std::shared_ptr<session> from_;
};

std::string peer_of(const asio::ip::tcp::socket& from) {
  boost::system::error_code gone;
  auto peer = from.remote_endpoint(gone);
  return gone ? "" : peer.address().to_string();
}

response revoked_answer() {
  return problem_answer(refusal::no_key, "the key was revoked meanwhile");
}

} // namespace

void exchange::answer(response x) {
  asio::dispatch(in->executor(), [self = shared_from_this(), x = std::move(x)]() mutable {
    self->out = std::move(x);
    self->in->wake();
  });
}

void exchange::when_unwanted(std::function<void(unwanted)> callback) {
  asio::dispatch(in->executor(), [self = shared_from_this(), callback = std::move(callback)] {
    if (self->over)
      return;
    if (self->why)
      return callback(*self->why);
    self->told = callback;
    self->in->watch();
  });
}

void exchange::after(std::chrono::milliseconds time, std::function<void()> due) {
  asio::dispatch(in->executor(), [self = shared_from_this(), time, due = std::move(due)] {
    if (self->why || self->over)
      return;
    self->timer.emplace(self->in->executor(), time);
    self->timer->async_wait([due](boost::system::error_code code) {
      if (!code)
        due();
    });
  });
}

void exchange::finish() {
  over = true;
  told = {};
  timer.reset();
}

void exchange::tell(unwanted x) {
  if (why || over)
    return;
  why = x;
  if (auto callback = std::exchange(told, {}))
    callback(x);
}

session::session(std::unique_ptr<wire> x, shared_parts& shared, bool crowded)
    : wire_(std::move(x)),
      peer_(peer_of(wire_->socket())),
      shared_(shared),
      options_(shared.options.load()),
      crowded_(crowded),
      signal_(executor(), never),
      body_signal_(executor(), never),
      buffer_(options_->header_bytes_max + session_read_bytes) {}

asio::awaitable<void> session::run() {
  auto self = shared_from_this(); // It lives until its coroutine ends.
  if (co_await wire_->begin(options_->header_time)) {
    while (co_await one()) {
    }
    if (!gone_)
      co_await linger();
  }
  kill();
}

void session::close_soon() {
  closing_ = true;
  if (idle_)
    wire_->cancel();
  if (current_)
    current_->tell(unwanted::closing);
  wake();
}

void session::check_key() {
  if (!let_in_ || revoked_)
    return;
  auto who = options_->authenticate(let_in_->key);
  if (who && who->ns == let_in_->ns && node::may(who->role, let_in_->needs))
    return;
  revoked_ = true;
  keep_ = false;
  if (current_)
    current_->tell(unwanted::revoked);
  wake();
}

/// Whether the current request comes to nothing because its key was revoked: if it only reads, is
/// a worker's, or its body is not whole. Any other one may have changed something.
bool session::is_withheld(const route& to) const {
  return revoked_ && (to.method == "GET" || to.needs == action::work || !parser_->is_done());
}

void session::kill() {
  closing_ = gone_ = true;
  boost::system::error_code ignored;
  wire_->socket().close(ignored);
  if (auto then = std::exchange(want_, {}))
    then(error{ec::not_ready, "the connection is closed"});
  body_signal_.cancel();
  wake();
}

/// A client that waits for an answer and closes its side is gone, also behind its next requests;
/// one that sends more of them than are kept is not looked at any more.
void session::watch() {
  if (watching_ || gone_ || pumping_ || buffer_.size() == buffer_.max_size())
    return;
  watching_ = true;
  asio::co_spawn(executor(), listen(), asio::detached);
}

/// By reading, not by a look at the socket: by TLS an end has bytes of its own.
asio::awaitable<void> session::listen() {
  auto self = shared_from_this();
  auto full = [this] { return buffer_.size() == buffer_.max_size(); };
  while (!full() && co_await read_more(listen_time) > 0 && !watch_over_) {
  }
  watching_ = false;
  if (!full() && !watch_over_ && !wire_->late()) {
    gone_ = true;
    if (current_)
      current_->tell(unwanted::gone);
  }
  wake();
}

asio::awaitable<void> session::end_watch() {
  watch_over_ = true;
  if (watching_)
    wire_->cancel();
  while (watching_)
    co_await signal_.async_wait(told);
  watch_over_ = false;
}

void session::want(body_source::taken then) {
  if (!pumping_ || pump_over_)
    return then(error{ec::not_ready, "the connection is closed"});
  want_ = std::move(then);
  body_signal_.cancel();
}

/// Tells a client that waits for it to send its body. False: the connection is of no use.
asio::awaitable<bool> session::tell_continue() {
  if (!std::exchange(owes_continue_, false) || parser_->is_done())
    co_return true;
  const std::string text = "HTTP/1.1 100 Continue\r\n\r\n";
  co_return co_await write_piece(text);
}

/// Hands the body to its handler, piece by piece, while the answer is written beside it.
asio::awaitable<void> session::pump() {
  auto self = shared_from_this();
  while (!pump_over_) {
    if (!want_) {
      co_await body_signal_.async_wait(told);
      continue;
    }
    co_await tell_continue();
    auto piece = co_await read_piece(options_->body_time);
    if (auto then = std::exchange(want_, {})) {
      pump_over_ = pump_over_ || !piece || piece->empty();
      then(std::move(piece));
    }
  }
  pumping_ = false;
  wake();
}

asio::awaitable<void> session::act(request in, const route& to) {
  if (is_stream(to.body)) {
    in.stream = std::make_shared<incoming>(shared_from_this());
    in.room = room();
    pumping_ = true;
    pump_over_ = false;
    asio::co_spawn(executor(), pump(), asio::detached);
  }
  try {
    to.act(std::make_shared<call>(call{std::move(in), responder{current_}}));
  } catch (const std::exception&) { // Its responder has answered when it went.
  }
  while (!current_->out && !gone_ && !is_withheld(to))
    co_await signal_.async_wait(told);
  if (is_withheld(to))
    current_->out = revoked_answer();
}

/// Ends what hands the body out. The connection goes on if the whole body has come.
asio::awaitable<void> session::end_pump() {
  if (!pumping_)
    co_return;
  pump_over_ = true;
  wire_->cancel();
  body_signal_.cancel();
  while (pumping_)
    co_await signal_.async_wait(told);
}

/// Serves one request; true if another one may follow.
asio::awaitable<bool> session::one() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(options_->header_bytes_max));
  parser_->body_limit(boost::none);
  chunked_ = keep_ = unread_ = revoked_ = false;
  let_in_.reset();
  reader_.clear();
  if (!co_await read_header())
    co_return false;
  begun_ = std::chrono::steady_clock::now();
  keep_ = parser_->keep_alive();
  auto in = take_request();
  const route* to = nullptr;
  auto out = refuse(in, to);
  if (still_crowded() && !node::may(in.who.role, action::control))
    keep_ = false; // What is left is for operators.
  owes_continue_ = !out && waits_for_continue(in.fields, parser_->get().version() == 10);
  // A handler of bytes may refuse them first; one of lines answers before it has read any.
  if (to && to->body != body_mode::bytes && !co_await tell_continue())
    co_return false;
  if (!out && !is_stream(to->body))
    out = co_await read_body(in);
  if (!out && revoked_)
    out = revoked_answer();
  current_ = std::make_shared<exchange>(shared_from_this());
  if (!out) {
    auto body = std::move(in.body);
    auto room = std::move(in.room);
    auto given = in;
    given.body = std::move(body);
    given.room = std::move(room);
    co_await act(std::move(given), *to);
    out = std::move(current_->out);
  }
  co_await answer(std::move(out), in, to);
  co_return keep_ && parser_->is_done() && !closing_ && !gone_;
}

/// Has an answer counted until its client has taken it. False: there is no room. What may have
/// changed something has room in any case: its client would do it again.
bool session::hold_answer(held_answer& room, const response& x, const request& in,
                          const route* to) const {
  if (x.body.size() <= limits::http_small_body_bytes || in.method == "HEAD")
    return true;
  auto only_reads = in.method == "GET" && to && to->needs;
  return room.hold(x.body.size(), options_->answers_bytes_max, !only_reads);
}

/// Writes the answer, unless nobody is there, ends what went on beside it, and reports it.
asio::awaitable<void> session::answer(std::optional<response> out, const request& in,
                                      const route* to) {
  held_answer room{shared_.answers};
  if (out && !hold_answer(room, *out, in, to)) {
    if (options_->rejected)
      options_->rejected(to_string(ec::overloaded));
    out = problem_answer(error{ec::overloaded, "the node holds too many bytes of answers that "
                                               "their clients have not taken; repeat it after a "
                                               "while"});
  }
  auto took = std::chrono::steady_clock::now() - begun_;
  auto status = out ? out->status : 499; // As others log a client that has gone.
  auto location = out ? out->fields.find("Location") : nullptr;
  auto done = location ? *location : out ? out->done : "";
  auto job = out && out->job != job_id{} ? out->job : in.arguments.job;
  auto is_known = to && (status != unauthorised || let_in_);
  auto stream = out ? out->stream : nullptr;
  auto written = out && co_await write(std::move(*out), in);
  if (!written) {
    keep_ = false;
    current_->tell(unwanted::gone);
  }
  current_->finish();
  co_await end_watch();
  co_await end_pump();
  current_.reset();
  if (stream)
    done = stream->done();
  served line{to ? std::string_view{to->path} : "",
              in.method,
              status,
              took,
              in.id,
              is_known ? &in.who : nullptr,
              in.path,
              in.target,
              done,
              !written,
              peer_,
              job};
  report(in, to, line);
  unread_ = !parser_->is_done() || buffer_.size() > 0;
}

} // namespace troupe::http
