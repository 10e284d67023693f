#include "node/http/wire.hpp"

#include "node/http/answer_text.hpp"
#include "node/http/options.hpp"
#include "node/http/problem.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace troupe::http {

namespace {

constexpr auto told = asio::as_tuple(asio::use_awaitable);

using tcp_stream = boost::beast::tcp_stream;

/// What both kinds have in common: `Stream` is what is read and written.
template <class Stream>
class stream_wire : public wire {
public:
  asio::awaitable<std::size_t> read(asio::mutable_buffer to, milliseconds limit) override {
    // The deadline of the stream itself would close it: who is late could not be told so.
    tcp().expires_never();
    auto waits = std::make_shared<bool>(true);
    asio::steady_timer deadline{socket().get_executor(), limit};
    late_ = false;
    deadline.async_wait([this, waits](const boost::system::error_code& ended) {
      if (ended || !*waits)
        return;
      late_ = true;
      tcp().cancel();
    });
    auto [code, n] = co_await stream().async_read_some(to, told);
    *waits = false;
    late_ = late_ && code;
    co_return code ? 0 : n;
  }
  asio::awaitable<bool> write(std::vector<asio::const_buffer> from, milliseconds limit) override {
    tcp().expires_after(limit);
    auto [code, n] = co_await asio::async_write(stream(), from, told);
    stuck_ = code == boost::beast::error::timeout;
    co_return !code;
  }
  void cancel() override { tcp().cancel(); }
  asio::ip::tcp::socket& socket() override { return tcp().socket(); }

protected:
  virtual Stream& stream() = 0;
  virtual tcp_stream& tcp() = 0;

  void shut() {
    boost::system::error_code ignored;
    socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }
};

class plain_wire : public stream_wire<tcp_stream> {
public:
  explicit plain_wire(asio::ip::tcp::socket socket) : stream_(std::move(socket)) {}

  asio::awaitable<bool> begin(milliseconds) override { co_return true; }
  asio::awaitable<void> finish(milliseconds) override {
    shut();
    co_return;
  }

private:
  tcp_stream& stream() override { return stream_; }
  tcp_stream& tcp() override { return stream_; }

  tcp_stream stream_;
};

constexpr std::uint8_t tls_handshake = 0x16; ///< The first byte of every one.

constexpr std::chrono::seconds plain_linger{1};
constexpr std::size_t plain_bytes_max = 1 << 16;

/// What a client hears that has sent a plain request.
std::string speak_tls() {
  auto x = problem_answer(refusal::bad_request,
                          "this port takes HTTPS only: begin the URL with https://");
  return last_answer(x, request_id_of(nullptr));
}

class tls_wire : public stream_wire<asio::ssl::stream<tcp_stream>> {
public:
  tls_wire(asio::ip::tcp::socket socket, asio::ssl::context& tls)
      : stream_(tcp_stream{std::move(socket)}, tls) {}

  asio::awaitable<bool> begin(milliseconds limit) override {
    tcp().expires_after(limit);
    std::uint8_t first = 0;
    auto [code, n] = co_await tcp().async_read_some(asio::buffer(&first, 1), told);
    if (code || n == 0)
      co_return false;
    if (first != tls_handshake) {
      co_await refuse_plain();
      co_return false;
    }
    auto [failed, used] = co_await stream_.async_handshake(asio::ssl::stream_base::server,
                                                           asio::buffer(&first, 1), told);
    co_return !failed;
  }
  asio::awaitable<void> finish(milliseconds limit) override {
    tcp().expires_after(limit);
    co_await stream_.async_shutdown(told);
    shut();
  }

private:
  /// Reads what it can beside: closing with unread bytes would throw the answer away.
  asio::awaitable<void> refuse_plain() {
    const auto text = speak_tls();
    co_await asio::async_write(tcp(), asio::buffer(text), told);
    shut();
    tcp().expires_after(plain_linger);
    std::vector<char> rest(4096);
    for (std::size_t all = 0; all < plain_bytes_max;) {
      auto [code, n] = co_await tcp().async_read_some(asio::buffer(rest), told);
      if (code)
        co_return;
      all += n;
    }
  }

  asio::ssl::stream<tcp_stream>& stream() override { return stream_; }
  tcp_stream& tcp() override { return stream_.next_layer(); }

  asio::ssl::stream<tcp_stream> stream_;
};

} // namespace

std::unique_ptr<wire> make_wire(asio::ip::tcp::socket socket, asio::ssl::context* tls) {
  if (tls)
    return std::make_unique<tls_wire>(std::move(socket), *tls);
  return std::make_unique<plain_wire>(std::move(socket));
}

} // namespace troupe::http
