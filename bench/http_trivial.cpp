#include "bench/http_load.hpp"
#include "bench/process.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <csignal>
#include <thread>

namespace troupe::bench {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr auto told = asio::as_tuple(asio::use_awaitable);
constexpr unsigned threads = 2; ///< As many as the node has on two cores.

/// Reads a request, answers, and again.
asio::awaitable<void> serve(tcp::socket socket, std::size_t bytes) {
  boost::beast::flat_buffer buffer;
  for (;;) {
    http::request<http::string_body> in;
    auto [unread, read] = co_await http::async_read(socket, buffer, in, told);
    if (unread)
      co_return;
    http::response<http::string_body> out{http::status::created, in.version()};
    out.set(http::field::content_type, "application/json");
    out.body() = std::string(bytes, 'x');
    out.prepare_payload();
    auto [unsent, written] = co_await http::async_write(socket, out, told);
    if (unsent)
      co_return;
  }
}

asio::awaitable<void> accept(tcp::acceptor& from, asio::io_context& on, std::size_t bytes) {
  for (;;) {
    auto [failed, socket] = co_await from.async_accept(on, told);
    if (failed)
      co_return;
    socket.set_option(tcp::no_delay{true});
    asio::co_spawn(on, serve(std::move(socket), bytes), asio::detached);
  }
}

} // namespace

trivial_server start_trivial(std::size_t bytes) {
  shared<std::uint16_t> port;
  auto pid = begin_child([&] {
    asio::io_context io;
    tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
    asio::co_spawn(io, accept(acceptor, io, bytes), asio::detached);
    __atomic_store_n(&*port, acceptor.local_endpoint().port(), __ATOMIC_SEQ_CST);
    std::vector<std::jthread> all;
    for (unsigned i = 0; i < threads; ++i)
      all.emplace_back([&] { io.run(); });
  });
  while (__atomic_load_n(&*port, __ATOMIC_SEQ_CST) == 0)
    std::this_thread::yield();
  return {pid, *port};
}

void stop_trivial(const trivial_server& x) {
  ::kill(x.pid, SIGKILL);
  ::waitpid(x.pid, nullptr, 0);
}

} // namespace troupe::bench
