#pragma once

#include "node/http/api.hpp"
#include "node/http/line_splitter.hpp"

#include <deque>

namespace troupe::http {

inline constexpr std::size_t batch_bytes_max = 4 << 20; ///< Of the lines of one, until durable.

/// What came of a batch, for the log of changes. `ids` are the first of the jobs, each behind a
/// space.
inline std::string batch_done(std::size_t jobs, std::size_t refused, const std::string& ids) {
  return "jobs " + std::to_string(jobs) + ", refused " + std::to_string(refused)
         + (ids.empty() ? "" : ":" + ids);
}

/// What a line of a batch is answered that has made a job, or has earlier. `gone`: that one is.
value::object line_answer(const submitted& made, bool gone);

inline constexpr std::size_t batch_ids_bytes_max = 900; ///< Of `ids`.

/// A batch of requests, a line each: read while there is room, answered line by line as jobs become
/// durable. It is the answer's body. Thread-safe.
class batch : public body_source, public std::enable_shared_from_this<batch> {
public:
  batch(api_ptr in, const request& from);

  void next(taken then) override;
  bool wind_up() override;
  std::string done() override;

private:
  struct line {
    std::uint64_t number = 0;
    std::string text;
    std::size_t bytes = 0; ///< Of what came.
    job_request asked;
    bool resolved = false; ///< Its graph was made durable, or looked for, for this line.
  };
  using line_ptr = std::shared_ptr<line>;

  void read_on();
  void take_piece(result<std::string> piece);
  void take_line(std::string text);
  void stop_reading(int status, value problem);
  void stop_reading(refusal why, std::string detail);
  bool is_over();
  bool hold();
  line_ptr take_turn();
  void end_turn();
  void go_on();
  void go_on_aside(const line_ptr& x, bool is_read);
  bool read(const line_ptr& x);
  void resolve(const line_ptr& x);
  void resolve_aside(const line_ptr& x);
  void submit(const line_ptr& x, std::variant<known_graph, graph_trouble> graph);
  void answer(const line_ptr& x, const submitted& made);
  void end(const line_ptr& x, value::object answer);
  void refuse(const line_ptr& x, int status, value problem);
  void give();

  const api_ptr in_;
  const principal who_;
  const std::shared_ptr<body_source> lines_;
  const std::shared_ptr<held_bytes> room_; ///< For what came of the lines; may be null.
  const std::string trace_;                ///< Of the request; of all jobs that name no other.
  std::mutex mutex_;
  line_splitter split_{limits::http_line_bytes_max}; ///< Only while reading.
  std::uint64_t number_ = 0;
  std::deque<line_ptr> waiting_; ///< Lines that have come and are not submitted yet, in order.
  bool has_turn_ = false;        ///< One is being read, or resolved.
  std::size_t in_flight_ = 0;    ///< Lines that are not answered yet,
  std::size_t bytes_ = 0;        ///< and their bytes.
  std::size_t begun_ = 0;        ///< Bytes of the line that has begun.
  std::string out_;              ///< Answers that nobody has taken yet.
  std::size_t made_ = 0, refused_ = 0;
  std::string ids_; ///< Of what was made, the first ones.
  taken taker_;
  bool reading_ = false;
  bool over_ = false; ///< No more lines are taken.
};

} // namespace troupe::http
