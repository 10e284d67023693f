#include "node/http/flow_poll.hpp"

namespace troupe::http {

std::uint64_t flow_places::of(job_id job) {
  std::scoped_lock lock{mutex_};
  auto found = next_.find(job);
  return found == next_.end() ? 1 : found->second;
}

bool flow_places::move(job_id job, std::uint64_t from, std::uint64_t next) {
  std::scoped_lock lock{mutex_};
  auto [found, is_new] = next_.try_emplace(job, 1);
  auto moves = found->second == from;
  if (moves)
    found->second = next;
  if (is_new)
    order_.push_back(job);
  if (order_.size() > flow_places_max) {
    next_.erase(order_.front());
    order_.pop_front();
  }
  return moves;
}

response flow_answer(std::string text) { return {200, "application/x-ndjson", std::move(text)}; }

void flow_poll::begin() {
  to_->out.after(flow_poll_wait, [self = shared_from_this()] { self->answer({}); });
  to_->out.when_unwanted([self = shared_from_this()](unwanted) { self->answer({}); });
  open();
}

/// Goes on where the polls of this job are now.
void flow_poll::open() {
  auto at = places_->of(job_);
  in_->node.events(job_, at, [self = shared_from_this(), at](const result<event_reader>& reader) {
    if (!reader)
      return self->refuse(reader.error());
    self->in_->pool.post(
        [self, at, reader = *reader] {
          std::scoped_lock lock{self->mutex_};
          self->from_ = reader;
          self->at_ = at;
          self->teller_.emplace(self->about_);
          self->text_.clear();
          self->read();
        },
        true); // Each connection has one of them at most.
  });
}

/// From any thread; only the first one counts. `next`: the place behind what it tells, if it tells.
/// False: another poll has told that meanwhile.
bool flow_poll::answer(std::string text, std::optional<std::uint64_t> next) {
  {
    std::scoped_lock lock{answering_};
    if (answered_)
      return true;
    if (next && !places_->move(job_, at_, *next))
      return false;
    answered_ = true;
  }
  to_->out(flow_answer(std::move(text)));
  return true;
}

void flow_poll::refuse(const error& why) {
  {
    std::scoped_lock lock{answering_};
    if (answered_.exchange(true))
      return;
  }
  http::refuse(to_, why);
}

void flow_poll::look() {
  in_->pool.post(
      [self = shared_from_this()] {
        std::scoped_lock lock{self->mutex_};
        self->read();
      },
      true);
}

/// Reads what there is, up to what can be told.
void flow_poll::read() {
  while (!answered_) {
    auto events = from_->next(std::chrono::milliseconds{0});
    auto more = events && !events->empty();
    text_ += more ? teller_->tell(*events) : teller_->rest();
    if (more && teller_->holds_back() && text_.size() < flow_poll_bytes_max)
      continue;
    if (!text_.empty()) {
      if (!answer(std::move(text_), teller_->next()))
        open();
      return;
    }
    if (more && !places_->move(job_, at_, teller_->next()))
      return open();
    if (more) {
      at_ = teller_->next();
      continue;
    }
    if (events || events.code() != ec::timed_out) {
      answer({});
      return;
    }
    return from_->when_more([weak = weak_from_this()] {
      if (auto alive = weak.lock())
        alive->look();
    });
  }
}

} // namespace troupe::http
