#pragma once

#include "tests/support/catch.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace troupe::tests {

/// A server on this machine that takes requests with bodies, one connection after the other, and
/// answers each with the status that it is told to.
class http_receiver {
public:
  struct request {
    std::string head, body;
  };

  explicit http_receiver(int status = 200) : status_(status) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(listener_, 8) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::jthread{[this] { run(); }};
  }
  ~http_receiver() {
    {
      std::scoped_lock lock{mutex_};
      ending_ = true;
      ::shutdown(listener_, SHUT_RDWR);
      ::shutdown(current_, SHUT_RDWR);
    }
    thread_.join();
    ::close(listener_);
  }
  http_receiver(const http_receiver&) = delete;
  http_receiver& operator=(const http_receiver&) = delete;

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  void answer_with(int status) {
    std::scoped_lock lock{mutex_};
    status_ = status;
  }
  /// Waits until `enough` of what was received; false: it did not come in time.
  bool comes_to(const std::function<bool(const std::vector<request>&)>& enough) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::seconds{60}, [&] { return enough(all_); });
  }
  std::vector<request> received() const {
    std::scoped_lock lock{mutex_};
    return all_;
  }

private:
  void run() {
    for (;;) {
      auto fd = ::accept(listener_, nullptr, nullptr);
      {
        std::scoped_lock lock{mutex_};
        if (ending_ || fd < 0) {
          ::close(fd);
          return;
        }
        current_ = fd;
      }
      while (serve_one(fd)) {
      }
      std::scoped_lock lock{mutex_};
      ::close(std::exchange(current_, -1));
    }
  }

  bool serve_one(int fd) {
    std::string text;
    auto end = std::string::npos;
    while ((end = text.find("\r\n\r\n")) == std::string::npos)
      if (!read_more(fd, text))
        return false;
    request x{text.substr(0, end), text.substr(end + 4)};
    auto at = x.head.find("Content-Length: ");
    auto size = at == std::string::npos ? 0 : std::stoul(x.head.substr(at + 16));
    while (x.body.size() < size)
      if (!read_more(fd, x.body))
        return false;
    std::scoped_lock lock{mutex_};
    all_.push_back(std::move(x));
    changed_.notify_all();
    auto answer = "HTTP/1.1 " + std::to_string(status_) + " .\r\nContent-Length: 0\r\n\r\n";
    return ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) > 0;
  }

  static bool read_more(int fd, std::string& to) {
    char piece[4096];
    auto n = ::recv(fd, piece, sizeof piece, 0);
    if (n > 0)
      to.append(piece, static_cast<std::size_t>(n));
    return n > 0;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<request> all_;
  int status_, listener_ = -1, current_ = -1;
  bool ending_ = false;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

} // namespace troupe::tests
