#include "node/http/answer_text.hpp"
#include "node/http/cors.hpp"
#include "node/http/session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/use_awaitable.hpp>

/// What a connection sends.
namespace troupe::http {

namespace {

using namespace std::chrono_literals;

constexpr auto told = asio::as_tuple(asio::use_awaitable);
constexpr auto never = std::chrono::steady_clock::time_point::max();
constexpr auto linger_time = 1s;                    ///< For a client to read why it was refused.
constexpr std::size_t linger_bytes_max = 256 << 20; ///< The time ends it, mostly.

/// One piece of a chunked body; empty: its end.
std::string chunk_of(const std::string& piece) {
  char size[2 * sizeof(std::size_t) + 1];
  auto n = std::snprintf(size, sizeof size, "%zx", piece.size());
  return std::string(size, static_cast<std::size_t>(n)) + "\r\n" + piece + "\r\n";
}

} // namespace

std::string session::head_of(const response& x, const request& in) const {
  auto head = "HTTP/1.1 " + std::to_string(x.status) + " " + std::string{reason_of(x.status)};
  auto add = [&](std::string_view name, std::string_view text) {
    (head += "\r\n").append(name).append(": ").append(text);
  };
  if (!x.body.empty() || x.stream)
    add("Content-Type", x.type);
  if (chunked_)
    add("Transfer-Encoding", "chunked");
  else if (x.length || (!x.stream && x.status != 204 && x.status != 304))
    add("Content-Length", std::to_string(x.length.value_or(x.body.size())));
  add("Date", date_now());
  add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  if (!in.id.empty())
    add("X-Request-Id", in.id);
  if (!keep_)
    add("Connection", "close");
  else if (parser_->get().version() == 10)
    add("Connection", "keep-alive");
  for (auto& [name, text] : cors_fields(*options_, reader_))
    add(name, text);
  for (auto& [name, text] : x.fields)
    add(name, text);
  return head + "\r\n\r\n";
}

/// Writes an answer; false if the connection is of no use after that.
asio::awaitable<bool> session::write(response x, const request& in) {
  auto version = parser_->is_header_done() ? parser_->get().version() : 11;
  chunked_ = x.stream && !x.length && version == 11;
  keep_ = keep_ && !x.close && !closing_ && (!x.stream || chunked_ || x.length)
          && (parser_->is_done() || (pumping_ && x.stream));
  auto head = head_of(x, in);
  auto bare = in.method == "HEAD";
  if (x.stream) {
    if (!co_await write_piece(head))
      co_return false;
    if (bare)
      co_return true;
    auto whole = co_await write_stream(*x.stream);
    if (!whole && wire_->stuck())
      x.stream->cut();
    co_return whole;
  }
  std::vector<asio::const_buffer> all{asio::buffer(head)};
  auto is_large = !bare && x.body.size() > limits::http_piece_bytes_max;
  if (!bare && !is_large)
    all.push_back(asio::buffer(x.body));
  if (!co_await wire_->write(std::move(all), options_->write_time))
    co_return false;
  if (!is_large)
    co_return true;
  co_return co_await write_piece(x.body);
}

/// Each part of it has the time of one write: a slow reader that goes on reading is not cut off.
asio::awaitable<bool> session::write_piece(const std::string& piece) {
  for (std::size_t at = 0; at < piece.size(); at += limits::http_piece_bytes_max) {
    std::vector<asio::const_buffer> part;
    part.push_back(asio::buffer(asio::buffer(piece) + at, limits::http_piece_bytes_max));
    if (!co_await wire_->write(std::move(part), options_->write_time))
      co_return false;
  }
  co_return true;
}

/// Writes pieces as they come. A reader that takes none for the time of one write is cut off.
asio::awaitable<bool> session::write_stream(body_source& from) {
  watch();
  auto framed = [this](std::string piece) { return chunked_ ? chunk_of(piece) : piece; };
  auto got = std::make_shared<std::optional<result<std::string>>>();
  auto winds_up = false;
  // Whether it is not to be waited for what comes next.
  auto ends_now = [&] {
    if (closing_ && !gone_ && !winds_up)
      winds_up = from.wind_up();
    return revoked_ || (closing_ && !winds_up);
  };
  for (;;) {
    got->reset();
    from.next([self = shared_from_this(), got](result<std::string> x) {
      asio::dispatch(self->executor(), [self, got, x = std::move(x)]() mutable {
        *got = std::move(x);
        self->wake();
      });
    });
    while (!*got && !gone_ && !ends_now()) {
      signal_.expires_after(options_->ping_interval);
      auto [code] = co_await signal_.async_wait(told);
      if (code || *got)
        continue;
      if (auto ping = from.idle(); !ping.empty() && !co_await write_piece(framed(ping)))
        co_return false;
    }
    signal_.expires_at(never);
    if (gone_ || (*got && !**got))
      co_return false; // Without the end of the body: the client sees that something is missing.
    auto ends = revoked_ || !*got;
    auto is_last = ends || (**got)->empty();
    auto piece =
        !ends ? std::move(***got) : from.farewell(revoked_ ? unwanted::revoked : unwanted::closing);
    if (ends && piece.empty())
      co_return false; // It looks cut off, as it is.
    if (!piece.empty() && !co_await write_piece(framed(std::move(piece))))
      co_return false;
    if (!is_last)
      continue;
    if (!chunked_)
      co_return true;
    const auto end = chunk_of(std::string{});
    co_return co_await write_piece(end);
  }
}

/// Answers what is no request, and reports it. The connection is of no use after that.
asio::awaitable<void> session::answer_unread(response x) {
  request in;
  in.id = request_id_of(nullptr);
  in.method = in.path = in.target = "-";
  unread_ = true;
  served line{"", in.method, x.status, {}, in.id, nullptr, in.path, in.target, "", false, peer_};
  line.gone = !co_await write(std::move(x), in);
  report(in, nullptr, line);
}

/// Lets the client read the last answer: closing with unread bytes would throw it away.
asio::awaitable<void> session::linger() {
  co_await wire_->finish(linger_time);
  auto until = std::chrono::steady_clock::now() + linger_time;
  std::vector<char> rest(4096);
  for (std::size_t all = 0; unread_ && all < linger_bytes_max;) {
    auto left = std::chrono::floor<milliseconds>(until - std::chrono::steady_clock::now());
    auto n = left > 0ms ? co_await wire_->read(asio::buffer(rest), left) : 0;
    if (n == 0)
      break;
    all += n;
  }
}

void session::report(const request& in, const route* to, const served& line) const {
  auto& x = *options_;
  if (x.observe)
    x.observe(line);
  if (x.audit && line.who && is_change(in, to->needs))
    x.audit(line);
}

} // namespace troupe::http
