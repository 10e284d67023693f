#include "node/http/flow_poll.hpp"

namespace troupe::http {

std::uint64_t flow_places::of(job_id job) {
  std::scoped_lock lock{mutex_};
  auto found = next_.find(job);
  return found == next_.end() ? 1 : found->second;
}

void flow_places::set(job_id job, std::uint64_t next) {
  std::scoped_lock lock{mutex_};
  if (!next_.insert_or_assign(job, next).second)
    return;
  order_.push_back(job);
  if (order_.size() > flow_places_max) {
    next_.erase(order_.front());
    order_.pop_front();
  }
}

response flow_answer(std::string text) { return {200, "application/x-ndjson", std::move(text)}; }

void flow_poll::begin(job_id job, const event_reader& from) {
  job_ = job;
  from_ = from;
  to_->out.after(flow_poll_wait, [self = shared_from_this()] { self->answer({}); });
  to_->out.when_unwanted([self = shared_from_this()](unwanted) { self->answer({}); });
  look();
}

/// From any thread; only the first one counts. `next`: the place behind what it tells, if it tells.
void flow_poll::answer(std::string text, std::optional<std::uint64_t> next) {
  if (answered_.exchange(true))
    return;
  if (next)
    places_->set(job_, *next);
  to_->out(flow_answer(std::move(text)));
}

void flow_poll::look() {
  in_->pool.post(
      [self = shared_from_this()] {
        std::scoped_lock lock{self->mutex_};
        while (!self->answered_) {
          auto events = self->from_->next(std::chrono::milliseconds{0});
          if (!events && events.code() == ec::timed_out)
            return self->from_->when_more([weak = self->weak_from_this()] {
              if (auto alive = weak.lock())
                alive->look();
            });
          if (!events)
            return self->answer({});
          if (events->empty())
            return self->answer({});
          auto text = flow_text(self->about_, *events);
          auto next = events->back().id + 1;
          if (!text.empty())
            return self->answer(std::move(text), next);
          self->places_->set(self->job_, next);
        }
      },
      true); // Each connection has one of them at most.
}

} // namespace troupe::http
