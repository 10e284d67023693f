#pragma once

#include "node/http/api.hpp"
#include "node/http/flow_events.hpp"

#include <deque>

namespace troupe::http {

/// A poll waits so long for the first event.
inline constexpr std::chrono::milliseconds flow_poll_wait{5000};
/// Jobs whose clients' places are kept; of one that was forgotten all events are told again.
inline constexpr std::size_t flow_places_max = 10'000;

/// The text of an answer to a poll, unless a single event is longer.
inline constexpr std::size_t flow_poll_bytes_max = 1 << 20;

/// How far the events of each job were polled: a poll names no place of its own. Thread-safe.
class flow_places {
public:
  /// The number to go on with.
  std::uint64_t of(job_id job);
  /// Goes on with `next` from now on. False, and nothing changes: the place is another than `from`.
  bool move(job_id job, std::uint64_t from, std::uint64_t next);

private:
  std::mutex mutex_;
  std::map<job_id, std::uint64_t> next_;
  std::deque<job_id> order_; ///< Of arrival: the oldest goes first.
};

/// One poll: answers with what there is, or with the first that comes, or with nothing when its
/// time is over. Of polls at once each event goes to one.
class flow_poll : public std::enable_shared_from_this<flow_poll> {
public:
  flow_poll(api_ptr in, call_ptr to, std::shared_ptr<flow_places> places, flow_about about,
            job_id job)
      : in_(std::move(in)),
        to_(std::move(to)),
        places_(std::move(places)),
        about_(std::move(about)),
        job_(job) {}

  void begin();

private:
  void open();
  void look();
  void read();
  void refuse(const error& why);
  bool answer(std::string text, std::optional<std::uint64_t> next = {});

  const api_ptr in_;
  const call_ptr to_;
  const std::shared_ptr<flow_places> places_;
  const flow_about about_;
  const job_id job_;
  std::mutex mutex_; ///< One look at a time. Only threads of the pool wait for it.
  std::optional<event_reader> from_;
  std::uint64_t at_ = 1; ///< The place where `from_` has begun.
  std::optional<flow_teller> teller_;
  std::string text_; ///< What is to be told.
  std::mutex answering_;
  std::atomic<bool> answered_ = false;
};

/// The answer to a poll.
response flow_answer(std::string text);

} // namespace troupe::http
