#include "actors/event_feed.hpp"

#include "core/render.hpp"

namespace troupe::actors {

event_feed::event_feed(std::shared_ptr<shard_context> shard, job_id job, std::uint64_t from,
                       std::uint64_t first_live)
    : shard_(std::move(shard)),
      job_(job),
      next_(std::max<std::uint64_t>(from, 1)),
      first_live_(first_live),
      watching_(first_live != 0) {}

event_feed::~event_feed() {
  if (watching_)
    shard_->ring->close(job_);
}

void event_feed::take(event&& x, std::vector<event>& to) {
  next_ = x.id + 1;
  to.push_back(std::move(x));
}

/// Events that were recorded before this reader came, or that have left the ring. A record is
/// shown whole: what it gives beyond `limit` waits.
status event_feed::read_view(std::vector<event>& to, std::size_t limit) {
  auto wanted = [&](event&& x) {
    if (x.id < next_) // Also what is in the ring by now: a record is read once.
      return true;
    take(std::move(x), to);
    return true;
  };
  auto read = shard_->view->replay(
      job_, shard_->graph_source(), replayed_,
      [&](const core::job& x, const core::record& r, const core::changes& seen) {
        if (x.events >= next_)
          core::render(x, r, seen, wanted);
        return to.size() < limit;
      });
  for (auto i = std::min(limit, to.size()); i < to.size(); ++i)
    spare_.push_back(std::move(to[i]));
  to.resize(std::min(limit, to.size()));
  return read;
}

/// False when nothing has come until then.
bool event_feed::read_ring(std::vector<event>& to, std::size_t limit,
                           std::chrono::steady_clock::time_point until) {
  std::vector<event> found;
  std::uint64_t first = 0;
  auto what = shard_->ring->read(job_, next_, limit, until, found, first);
  if (what == event_ring::found::nothing_yet)
    return false;
  if (what == event_ring::found::gone)
    first_live_ = first;
  ended_ = what == event_ring::found::ended;
  for (auto& x : found)
    take(std::move(x), to);
  return true;
}

/// Whether the view has all events of the job that there will ever be.
bool event_feed::has_ended() const {
  if (first_live_ != 0)
    return false;
  auto row = shard_->view->find(job_);
  return row && terminal(row->state);
}

std::vector<event> event_feed::read_spare(std::size_t limit) {
  std::vector<event> events;
  for (; !spare_.empty() && events.size() < limit; spare_.pop_front())
    events.push_back(std::move(spare_.front()));
  return events;
}

result<std::vector<event>> event_feed::next(std::chrono::steady_clock::time_point until,
                                            std::size_t limit) {
  if (auto open = shard_->log->state(); open.code() == ec::not_ready)
    return open.error(); // The runtime is closed, and what the view reads from may be.
  auto events = read_spare(limit);
  while (events.empty() && !ended_) {
    if (in_view()) {
      if (auto read = read_view(events, limit); !read)
        return read.error();
      if (events.empty() && has_ended())
        ended_ = true; // This reader began beyond the last event.
      else if (events.empty() && (first_live_ == 0 || std::chrono::steady_clock::now() > until))
        return error{ec::timed_out, "the job has no further events yet"};
    } else if (!read_ring(events, limit, until)) {
      auto journal = shard_->log->state();
      return journal ? error{ec::timed_out, "no event has come within the deadline"}
                     : journal.error();
    }
  }
  ended_ = ended_ || (!events.empty() && events.back().type == "end");
  return events;
}

void event_feed::when_more(std::function<void()> told) {
  if (ended_ || !spare_.empty() || in_view())
    return told();
  shard_->ring->await(job_, next_, std::move(told));
}

} // namespace troupe::actors
