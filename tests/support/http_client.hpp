#pragma once

#include "graph_json/value_json.hpp"
#include "tests/support/catch.hpp"

#include <arpa/inet.h>
#include <chrono>
#include <map>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::tests {

inline constexpr std::chrono::milliseconds http_patience{60'000}; ///< Then a test has failed.

/// One answer of a server. Names of header fields are in lower case.
struct http_reply {
  int status = 0; ///< 0: the connection ended instead.
  std::map<std::string, std::string> fields;
  std::string body;

  value json() const {
    auto parsed = graph_json::parse_value(body);
    INFO(body);
    REQUIRE(parsed);
    return *parsed;
  }
  /// A string member of the body.
  std::string text(std::string_view key) const {
    auto x = json();
    auto found = x.find(key);
    return found && found->string() ? *found->string() : "";
  }
};

/// A connection to a server on this machine, that sends what it is told to.
class http_client {
public:
  explicit http_client(std::uint16_t port) : port_(port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  ~http_client() { close(); }
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  bool connected() const noexcept { return connected_; }
  bool is_open() const noexcept { return fd_ >= 0; } ///< It was not closed here.
  void close() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }
  void finish() const { ::shutdown(fd_, SHUT_WR); }

  /// False if the server does not take it all.
  bool send(std::string_view raw) const {
    while (!raw.empty()) {
      auto n = ::send(fd_, raw.data(), raw.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return false;
      raw.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  /// A whole request; `fields` are lines that end in CRLF.
  std::string text_of(const std::string& method, const std::string& target,
                      const std::string& body = {}, const std::string& fields = {}) const {
    auto head = method + " " + target + " HTTP/1.1\r\nHost: localhost:" + std::to_string(port_)
                + "\r\n" + fields;
    if (!body.empty() && fields.find("Content-Type") == fields.npos)
      head += "Content-Type: application/json\r\n";
    if (!body.empty())
      head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return head + "\r\n" + body;
  }

  /// Sends a request and reads its answer.
  http_reply ask(const std::string& method, const std::string& target, const std::string& body = {},
                 const std::string& fields = {}) {
    send(text_of(method, target, body, fields));
    return read(method == "HEAD");
  }

  /// Reads one answer whole.
  http_reply read(bool bare = false) {
    auto x = read_head();
    if (x.status == 0 || bare || x.status == 204 || x.status == 100)
      return x;
    if (x.fields["transfer-encoding"] == "chunked") {
      for (std::string piece; read_chunk(piece) && !piece.empty();)
        x.body += piece;
      return x;
    }
    auto length = x.fields.count("content-length") ? std::stoul(x.fields["content-length"]) : 0;
    while (buffer_.size() < length && more()) {
    }
    x.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return x;
  }

  /// Reads status and header only.
  http_reply read_head() {
    http_reply x;
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == buffer_.npos)
      if (!more())
        return x;
    auto head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    x.status = std::stoi(head.substr(head.find(' ') + 1));
    for (auto at = head.find("\r\n") + 2; at < head.size();) {
      auto line = head.substr(at, head.find("\r\n", at) - at);
      at += line.size() + 2;
      auto colon = line.find(':');
      auto name = line.substr(0, colon);
      for (auto& c : name)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      x.fields[name] = line.substr(std::min(colon + 2, line.size()));
    }
    return x;
  }

  /// Reads the next piece of a chunked body; empty at its end. False if the connection ends.
  bool read_chunk(std::string& to) {
    std::size_t end;
    while ((end = buffer_.find("\r\n")) == buffer_.npos)
      if (!more())
        return false;
    auto size = std::stoul(buffer_.substr(0, end), nullptr, 16);
    while (buffer_.size() < end + 2 + size + 2)
      if (!more())
        return false;
    to = buffer_.substr(end + 2, size);
    buffer_.erase(0, end + 2 + size + 2);
    return true;
  }

  /// Reads a chunked body to its end and returns the last piece; empty if it does not end within
  /// the patience.
  std::string read_last_chunk() {
    auto until = std::chrono::steady_clock::now() + http_patience;
    std::string last;
    for (std::string piece; read_chunk(piece); last = std::move(piece))
      if (piece.empty())
        return last;
      else if (std::chrono::steady_clock::now() > until)
        break;
    return {};
  }

  /// Whether something came, or the end, within this time.
  bool hears(std::chrono::milliseconds time) const {
    pollfd ready{fd_, POLLIN, 0};
    return ::poll(&ready, 1, static_cast<int>(time.count())) == 1;
  }

  /// All that has come and is not read yet; waits for nothing, and takes nothing away.
  const std::string& heard() {
    char piece[16384];
    for (ssize_t n; (n = ::recv(fd_, piece, sizeof piece, MSG_DONTWAIT)) > 0;)
      buffer_.append(piece, static_cast<std::size_t>(n));
    return buffer_;
  }

  /// Drops at most so many bytes of what comes next, and tells how many; 0: the end.
  std::size_t skip(std::size_t most) const {
    pollfd ready{fd_, POLLIN, 0};
    std::string some(most, '\0');
    auto came = ::poll(&ready, 1, static_cast<int>(http_patience.count())) == 1;
    auto n = came ? ::recv(fd_, some.data(), most, 0) : 0;
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }

  /// Whether the server closes the connection within the patience, having sent nothing more.
  bool ends() { return buffer_.empty() && !more(); }

private:
  /// False: the end.
  bool more() {
    pollfd ready{fd_, POLLIN, 0};
    auto came = ::poll(&ready, 1, static_cast<int>(http_patience.count()));
    REQUIRE(came == 1);
    char piece[16384];
    auto n = ::recv(fd_, piece, sizeof piece, 0);
    if (n <= 0)
      return false;
    buffer_.append(piece, static_cast<std::size_t>(n));
    return true;
  }

  std::uint16_t port_;
  int fd_ = -1;
  bool connected_ = false;
  std::string buffer_;
};

} // namespace troupe::tests
