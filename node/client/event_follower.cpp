#include "node/client/event_follower.hpp"

#include "graph_json/value_json.hpp"
#include "node/client/job_json.hpp"
#include "node/client/refusal.hpp"
#include "node/http/line_splitter.hpp"
#include "node/progress.hpp"

#include <algorithm>
#include <thread>

namespace troupe::client {

namespace {

using clock = std::chrono::steady_clock;
using node::text_of;

/// One stream of events after the other, as Server-Sent Events: they have pings, and ids that know
/// which life of the store they are of.
class follower {
public:
  follower(node_client& from_node, job_id id, std::uint64_t from, const event_taker& to)
      : node_(from_node), id_(id), from_(from), to_(to) {}

  std::optional<trouble> run() {
    for (;;) {
      auto lost = read_once();
      if (done_)
        return {};
      if (lost)
        failing_.reset(); // Whoever answers next may be another one.
      else
        lost = failing_;
      if (lost && (!may_pass(*lost) || !was_connected_))
        return lost;
      if (auto given_up = rest(lost ? *lost : trouble{fault::unreachable}))
        return given_up;
    }
  }

private:
  /// Reads one stream to its end. What ended it, unless that was in order.
  std::optional<trouble> read_once() {
    http::line_splitter lines{event_bytes_max};
    data_.clear();
    bool too_long = false;
    auto take = [&](std::string_view piece) {
      if (!failing_)
        connected();
      too_long = !lines.add(piece, [this](const std::string& line) { take_line(line); });
      return !done_ && !too_long;
    };
    auto got = node_.wire().stream(what(), take, to_.waiting);
    if (too_long)
      return trouble{fault::strange_answer,
                     {},
                     "an event has more than " + std::to_string(event_bytes_max) + " bytes"};
    if (!got)
      return got.trouble();
    if (deleted_)
      return gone_for_good();
    if (got->status == 204) // All was read.
      done_ = true;
    else if (got->status != 200)
      return refusal_of(node_.at(), *got);
    return {};
  }

  request what() const {
    request x;
    x.target = "/v1/jobs/" + to_string(id_) + "/events";
    x.fields.emplace_back("Accept", "text/event-stream");
    if (!last_.empty())
      x.fields.emplace_back("Last-Event-ID", last_);
    else if (from_ > 1)
      x.target += "?from=" + std::to_string(from_);
    return x;
  }

  /// An answer has begun.
  void connected() {
    was_connected_ = true;
    if (std::exchange(is_gone_, false) && to_.connection)
      to_.connection(nullptr);
  }

  /// The node tells of the job.
  void heard() {
    failing_.reset();
    pause_ = reconnect_first;
    connected();
  }

  void take_line(std::string_view line) {
    if (done_)
      return;
    if (line.empty())
      return take_event();
    if (line.starts_with(':')) // A ping.
      return heard();
    for (auto [name, to] : {std::pair{"id: ", &next_}, {"data: ", &data_}})
      if (line.starts_with(name))
        *to = line.substr(std::string_view{name}.size());
  }

  void take_event() {
    auto json = std::exchange(data_, {});
    auto id = std::exchange(next_, {});
    if (json.empty())
      return;
    auto parsed = graph_json::parse_value(json);
    if (!parsed)
      return;
    if (text_of(*parsed, "event") == "gap" && id.empty())
      return take_gap(*parsed);
    if (text_of(*parsed, "event") == "closing" && id.empty())
      return take_closing(*parsed);
    auto x = read_event(*parsed);
    if (!x || id.empty()) // What this version does not know.
      return;
    heard();
    last_ = id;
    done_ = !to_.take(*x, json) || x->type == "end";
  }

  void take_gap(const value& x) {
    auto data = x.find("data");
    if (data && text_of(*data, "reason") == "restored" && to_.begin_anew)
      to_.begin_anew();
  }

  /// A node that only ends is asked again, and one that takes the key no more refuses then. One
  /// that cannot tell of the job is asked again, too: it does once it has been started anew.
  void take_closing(const value& x) {
    auto data = x.find("data");
    auto reason = data ? text_of(*data, "reason") : std::string_view{};
    deleted_ = reason == "deleted";
    if (deleted_ || reason == "shutdown" || reason == "revoked")
      return;
    auto known = std::ranges::find(node::error_kinds(), reason, &node::error_kind::name);
    failing_ = known != node::error_kinds().end()
                   ? trouble{*known, {}, {}, {}}
                   : trouble{fault::refused_by_node, {}, std::string{reason}};
  }

  trouble gone_for_good() const {
    return {fault::unknown_job, "job " + to_string(id_) + " was deleted while its events were read",
            "it has ended, and was removed, or was kept as long as its retention says",
            "give it a longer `retention`"};
  }

  /// Waits before the next try. Why there is none.
  std::optional<trouble> rest(const trouble& lost) {
    auto now = clock::now();
    if (!std::exchange(is_gone_, true)) {
      gone_since_ = now;
      if (to_.connection)
        to_.connection(&lost);
    }
    if (now - gone_since_ > reconnect_max)
      return lost;
    for (auto until = now + pause_; clock::now() < until;) {
      if (to_.waiting && !to_.waiting())
        return trouble{fault::interrupted};
      std::this_thread::sleep_for(std::min(look_every, pause_));
    }
    pause_ = std::min(2 * pause_, reconnect_most);
    return {};
  }

  node_client& node_;
  job_id id_;
  std::uint64_t from_;
  const event_taker& to_;
  std::string last_;        ///< The id of the last event that was taken.
  std::string next_, data_; ///< Of the event that is being read.
  bool done_ = false, is_gone_ = false, was_connected_ = false, deleted_ = false;
  std::optional<trouble> failing_; ///< It answers, but cannot tell of the job, for this reason.
  clock::time_point gone_since_{};
  std::chrono::milliseconds pause_ = reconnect_first;
};

} // namespace

std::optional<trouble> follow_events(node_client& from_node, job_id id, std::uint64_t from,
                                     const event_taker& to) {
  return follower{from_node, id, from, to}.run();
}

} // namespace troupe::client
