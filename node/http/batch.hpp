#pragma once

#include "node/http/api.hpp"
#include "node/http/line_splitter.hpp"

namespace troupe::http {

/// A batch of requests, a line each: read while there is room, answered line by line as jobs become
/// durable. It is the answer's body. Thread-safe.
class batch : public body_source, public std::enable_shared_from_this<batch> {
public:
  batch(api_ptr in, const request& from)
      : in_(std::move(in)), who_(from.who), lines_(from.stream) {}

  void next(taken then) override;

private:
  struct line {
    std::uint64_t number = 0;
    std::string text;
    job_request asked;
  };
  using line_ptr = std::shared_ptr<line>;

  void read_on();
  void take_piece(result<std::string> piece);
  void take_line(std::string text);
  void read(const line_ptr& x, bool here);
  void submit(const line_ptr& x, std::variant<known_graph, graph_trouble> graph);
  void end(const line_ptr& x, value::object answer);
  void refuse(const line_ptr& x, int status, value problem);
  void give();

  const api_ptr in_;
  const principal who_;
  const std::shared_ptr<body_source> lines_;
  std::mutex mutex_;
  line_splitter split_{limits::http_line_bytes_max}; ///< Only while reading.
  std::uint64_t number_ = 0;
  std::size_t in_flight_ = 0; ///< Lines that are not answered yet.
  std::string out_;           ///< Answers that nobody has taken yet.
  taken taker_;
  bool reading_ = false, over_ = false;
};

} // namespace troupe::http
