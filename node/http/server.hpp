#pragma once

#include "node/http/options.hpp"
#include "node/http/router.hpp"

namespace troupe::http {

/// An HTTP/1.1 server on threads of its own. Whatever holds a responder must have let it go before
/// the server is destroyed. Thread-safe, but for its destructor.
class server {
public:
  /// Listens, and serves nobody yet: connections wait. Errors: `io_failed` with the address if it
  /// cannot be listened on, or if a file of TLS cannot be read; `invalid_spec` for a malformed
  /// address.
  static result<std::unique_ptr<server>> open(http_options options);
  /// Ends what `shut` has left.
  ~server();

  /// Serves from here on. Once.
  void serve(std::vector<route> routes);

  /// Connections that begin from now on have these limits, times, hosts and origins. Address, port,
  /// threads and TLS stay as they are.
  void change(http_options options);

  /// Asks again whether the keys of requests that go on are valid; the others are ended: a stream
  /// with a farewell, what else reads or waits with 401. For whoever has changed the keys.
  void check_keys();

  /// The port that it listens on.
  std::uint16_t port() const noexcept;
  /// Connections that are open.
  std::size_t connections() const noexcept;
  /// Bytes of the bodies of requests that it holds.
  std::size_t body_bytes() const noexcept;
  /// Bytes of large answers that their clients have not taken yet.
  std::size_t answer_bytes() const noexcept;

  /// Takes no more connections, lets requests that go on come to their end, and ends streams with a
  /// farewell; what is left after `limit` is cut off. Waits for that. True if nothing was cut off.
  bool shut(std::chrono::milliseconds limit);

private:
  struct impl;
  explicit server(std::unique_ptr<impl> x);
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::http
