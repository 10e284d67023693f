#pragma once

#include "bench/measure.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// A client that asks as fast as it is answered, over many connections from one thread.
namespace troupe::bench {

/// One answer: its status and body.
struct http_answer {
  int status = 0;
  std::string body;
};

/// A connection to a server on this machine. What fails throws.
class http_connection {
public:
  explicit http_connection(std::uint16_t port);
  ~http_connection();
  http_connection(http_connection&& from) noexcept;
  http_connection(const http_connection&) = delete;
  http_connection& operator=(const http_connection&) = delete;

  int fd() const noexcept { return fd_; }
  /// Sends all, waiting for room.
  void send(const std::string& text) const;
  /// Sends one request and waits for its answer.
  http_answer ask(const std::string& request);
  /// Reads what is there; false at the end.
  bool read_more();
  /// Takes a whole answer out of what was read; false if it is not whole yet. Not for streams.
  bool take(http_answer& to);
  /// Takes what was read of a chunked body, without its frames.
  std::string take_chunks();

private:
  int fd_;
  std::string in_;
};

/// A request as text.
std::string request_of(const std::string& method, const std::string& target,
                       const std::string& body = {}, const std::string& type = "application/json");

/// What a load has come to.
struct load_result {
  std::size_t answers = 0;       ///< That `next` counted.
  double seconds = 0;            ///< How long it took.
  std::vector<double> latencies; ///< Of each request, in seconds.
  double rate() const { return static_cast<double>(answers) / seconds; }
};

/// Asks over `connections` for so many seconds. `next(i, answer)` is the next request of connection
/// number i, given the answer before (null at first); it sets `counts` if that answer counts.
using next_request =
    std::function<std::string(std::size_t i, const http_answer* before, bool& counts)>;
load_result run_load(std::uint16_t port, std::size_t connections, double seconds,
                     const next_request& next);

/// Starts a server of a child that answers each request with 201 and a body of `bytes`, by the same
/// library as the node and nothing else. Returns its port; it ends with `stop_trivial`.
struct trivial_server {
  int pid = -1;
  std::uint16_t port = 0;
};
trivial_server start_trivial(std::size_t bytes);
void stop_trivial(const trivial_server& x);

} // namespace troupe::bench
