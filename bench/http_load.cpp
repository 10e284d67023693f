#include "bench/http_load.hpp"

#include <arpa/inet.h>
#include <cstring>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace troupe::bench {

namespace {

constexpr int epoll_wait_ms = 10'000;

std::runtime_error trouble(const std::string& what) {
  return std::runtime_error{what + ": " + std::strerror(errno)};
}

} // namespace

http_connection::http_connection(std::uint16_t port)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int on = 1;
  if (fd_ < 0 || ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    throw trouble("cannot connect");
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

http_connection::~http_connection() {
  if (fd_ >= 0)
    ::close(fd_);
}

http_connection::http_connection(http_connection&& from) noexcept
    : fd_(std::exchange(from.fd_, -1)), in_(std::move(from.in_)) {}

void http_connection::send(const std::string& text) const {
  for (std::size_t at = 0; at < text.size();) {
    auto n = ::send(fd_, text.data() + at, text.size() - at, MSG_NOSIGNAL);
    if (n <= 0)
      throw trouble("cannot send");
    at += static_cast<std::size_t>(n);
  }
}

bool http_connection::read_more() {
  char piece[1 << 16];
  auto n = ::recv(fd_, piece, sizeof piece, 0);
  if (n < 0)
    throw trouble("cannot read");
  in_.append(piece, static_cast<std::size_t>(n));
  return n > 0;
}

bool http_connection::take(http_answer& to) {
  auto end = in_.find("\r\n\r\n");
  if (end == std::string::npos)
    return false;
  auto at = in_.find("Content-Length: ");
  auto size = at < end ? std::stoul(in_.substr(at + 16, 20)) : 0;
  if (in_.size() < end + 4 + size)
    return false;
  to.status = std::stoi(in_.substr(9, 3));
  to.body = in_.substr(end + 4, size);
  in_.erase(0, end + 4 + size);
  return true;
}

std::string http_connection::take_chunks() {
  std::string text;
  std::size_t at = 0;
  for (;;) {
    auto line = in_.find("\r\n", at);
    if (line == std::string::npos)
      break;
    if (in_.compare(at, 5, "HTTP/") == 0) {
      auto end = in_.find("\r\n\r\n", at);
      if (end == std::string::npos)
        break;
      at = end + 4;
      continue;
    }
    auto size = std::stoul(in_.substr(at, line - at), nullptr, 16);
    if (in_.size() < line + 2 + size + 2)
      break;
    text.append(in_, line + 2, size);
    at = line + 2 + size + 2;
  }
  in_.erase(0, at);
  return text;
}

http_answer http_connection::ask(const std::string& request) {
  send(request);
  http_answer x;
  while (!take(x))
    if (!read_more())
      throw std::runtime_error{"the server has closed the connection"};
  return x;
}

std::string request_of(const std::string& method, const std::string& target,
                       const std::string& body, const std::string& type) {
  auto text = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n";
  if (!body.empty())
    text += "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + body;
}

load_result run_load(std::uint16_t port, std::size_t connections, double seconds,
                     const next_request& next) {
  load_result sum;
  std::vector<http_connection> all;
  std::vector<clock::time_point> sent(connections);
  auto epoll = ::epoll_create1(EPOLL_CLOEXEC);
  bool counts = false;
  for (std::size_t i = 0; i < connections; ++i) {
    epoll_event event{EPOLLIN, {.u64 = i}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, all.emplace_back(port).fd(), &event);
  }
  auto begin = clock::now();
  for (std::size_t i = 0; i < connections; ++i) {
    sent[i] = clock::now();
    all[i].send(next(i, nullptr, counts));
  }
  std::vector<epoll_event> events(connections);
  while (seconds_since(begin) < seconds) {
    auto n = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), epoll_wait_ms);
    if (n <= 0)
      throw std::runtime_error{"the server does not answer"};
    for (int k = 0; k < n; ++k) {
      auto i = events[static_cast<std::size_t>(k)].data.u64;
      if (!all[i].read_more())
        throw std::runtime_error{"the server has closed a connection"};
      http_answer answer;
      if (!all[i].take(answer))
        continue;
      sum.latencies.push_back(seconds_since(sent[i]));
      counts = false;
      auto request = next(i, &answer, counts);
      sum.answers += counts;
      sent[i] = clock::now();
      all[i].send(request);
    }
  }
  sum.seconds = seconds_since(begin);
  ::close(epoll);
  return sum;
}

} // namespace troupe::bench
