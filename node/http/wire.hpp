#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <memory>
#include <vector>

/// Inside the HTTP server only.
namespace troupe::http {

namespace asio = boost::asio;

/// The bytes of one connection, plain or by TLS; each operation has a deadline. One reads and one
/// writes at a time, on the connection's own executor.
class wire {
public:
  using milliseconds = std::chrono::milliseconds;

  virtual ~wire() = default;

  /// Does what comes before the first byte. False: the connection cannot be used.
  virtual asio::awaitable<bool> begin(milliseconds limit) = 0;
  /// Reads some bytes; 0: the end, an error, or too late, which `late` tells.
  virtual asio::awaitable<std::size_t> read(asio::mutable_buffer to, milliseconds limit) = 0;
  /// Writes all. False: it failed, or took too long.
  virtual asio::awaitable<bool> write(std::vector<asio::const_buffer> from, milliseconds limit) = 0;
  /// Says that nothing more will be written.
  virtual asio::awaitable<void> finish(milliseconds limit) = 0;
  /// Ends what goes on at the moment.
  virtual void cancel() = 0;
  virtual asio::ip::tcp::socket& socket() = 0;

  /// Whether the last read ran into its deadline.
  bool late() const noexcept { return late_; }
  /// Whether the last write did: nobody took what was sent.
  bool stuck() const noexcept { return stuck_; }

protected:
  bool late_ = false, stuck_ = false;
};

/// `tls` may be null.
std::unique_ptr<wire> make_wire(asio::ip::tcp::socket socket, asio::ssl::context* tls);

} // namespace troupe::http
