#pragma once

#include "node/http/api.hpp"

namespace troupe::http {

/// How events are written.
enum class event_format : std::uint8_t { sse, ndjson };

/// Has a job cancelled if the client that reads its events goes.
void cancel_when_gone(const api_ptr& in, const call_ptr& to, job_id id);

/// Where a reader wants to go on, as its request says.
struct event_place {
  std::uint64_t from = 1;
  std::uint64_t lost = 0; ///< Above 0: what was seen up to here was of another life of the store.
};

/// Reads `?from=` and `Last-Event-ID`, which goes first. Errors: `invalid_spec`.
result<event_place> event_place_of(const request& in, std::uint64_t incarnation);

/// One event as a client gets it; events of later lives of the store have numbers `N.I`.
std::string text_of(const event& x, event_format how, std::uint64_t incarnation);

/// Tells that the events `from`…`to` are not to be had.
std::string gap_text(std::uint64_t from, std::uint64_t to, std::string_view reason,
                     event_format how);

/// How the events of one stream are written.
struct event_writer {
  /// Text for some events in order; may be empty.
  std::function<std::string(std::span<const event>)> text;
  /// Tells that the stream ends before the job has: `reason` is a word.
  std::function<std::string(std::string_view reason)> closing;
  std::string ping{}; ///< While there is no news; empty: none.
  /// Tells that these events are gone; unset: that is not told.
  std::function<std::string(std::uint64_t from, std::uint64_t to)> gap{};
  /// What `text` has held back, when there are no more events now; unset: it holds nothing back.
  std::function<std::string()> rest{};
};

/// Which events a stream has, and for whom.
struct stream_about {
  job_id job{};
  std::uint64_t from = 1;  ///< The first one that is wanted.
  std::uint64_t known = 0; ///< The last one that there was when the stream began.
  std::string request{};   ///< The id of the request.
};

/// That of `/v1/jobs/{job}/events`.
event_writer writer_of(event_format how, std::uint64_t incarnation);

/// The events of a job as the body of an answer, up to its `end`. If the job is deleted before that
/// was read, the rest is told as a gap. A reader is asked for no more than it takes. Thread-safe.
class event_stream : public body_source, public std::enable_shared_from_this<event_stream> {
public:
  /// `first` is sent before all events.
  event_stream(api_ptr in, event_reader from, event_writer how, stream_about about,
               std::string first = {})
      : in_(std::move(in)),
        about_(std::move(about)),
        from_(std::move(from)),
        how_(std::move(how)),
        next_(about_.from),
        first_(std::move(first)) {
    count_reader(1);
  }
  ~event_stream() override { count_reader(-1); }

  void next(taken then) override;
  std::string idle() override;
  std::string farewell(unwanted why) override;
  void cut() override;

private:
  void count_reader(int change) const {
    if (auto& told = in_->outside.readers)
      told(change);
  }
  void note_queued(const event& newest) const;
  void look();
  void read();
  std::optional<std::string> text_held_back() const;
  std::optional<std::string> text_of_all(const result<std::vector<event>>& events);
  std::string text_without_end(ec why) const;
  bool rest();
  void give(std::string piece);

  const api_ptr in_;
  const stream_about about_;
  event_reader from_; ///< Only for who has set `reading_`.
  const event_writer how_;
  std::uint64_t next_; ///< The number to read next; as `from_`.
  std::mutex mutex_;
  std::string first_;
  taken taker_;
  std::chrono::steady_clock::time_point given_{}; ///< When the last piece was; zero: never.
  const std::chrono::system_clock::time_point opened_ = std::chrono::system_clock::now();
  bool reading_ = false, again_ = false, armed_ = false, ended_ = false;
};

} // namespace troupe::http
