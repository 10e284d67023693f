#include "actors/shard_aside.hpp"

#include "actors/shard_rest.hpp"

#include <caf/event_based_actor.hpp>

namespace troupe::actors {

namespace {

void report(shard_self self, job_id id, const error& why) {
  auto& env = *shard_of(self).env;
  if (env.report)
    env.report("job " + to_string(id) + " cannot go on: " + to_string(why.code) + ": " + why.detail
               + "; it is tried again each minute, put back what is missing or cancel it");
}

/// Whoever waits is told where outputs are released.
void tell_waiting(shard_self self, job_id id, const error& why) {
  auto tell = [shard = self->state.shard, id, why](const status& outcome) {
    for (auto& x : shard->waiting.take(id))
      x(outcome ? why : outcome.error());
  };
  shard_of(self).log->hold(shard_of(self).log->head(), tell);
}

} // namespace

bool is_of_one_job(const error& why) {
  return why.code == ec::blob_missing || why.code == ec::no_such_graph
         || why.code == ec::journal_corrupt;
}

status set_aside(shard_self self, job_id id, const error& why, bool is_begun) {
  if (!is_of_one_job(why))
    return why;
  auto& x = self->state.aside[id];
  auto is_told = x.why.code == why.code;
  x.why = why;
  x.is_begun = is_begun;
  x.retry_at = shard_of(self).log->now() + limits::aside_retry;
  self->state.resting.push({x.retry_at, id});
  tell_waiting(self, id, why);
  if (!is_told)
    report(self, id, why);
  return {};
}

bool queue_again(shard_self self, job_id id) {
  auto found = self->state.aside.find(id);
  if (found == self->state.aside.end())
    return false;
  found->second.retry_at = {};
  if (found->second.is_begun)
    return false;
  queue_of(self, id).push(id);
  return true;
}

std::optional<job_aside> take_back(shard_self self, job_id id) {
  auto found = self->state.aside.extract(id);
  if (found.empty())
    return {};
  auto x = std::move(found.mapped());
  if (x.retry_at != core::shard_time{})
    self->state.resting.remove({x.retry_at, id});
  return x;
}

void end_aside(shard_self self, core::job x, core::record_group moved,
               const messages::move_job& m) {
  job_book book{self->state.shard, std::move(x)};
  forget_wake(self, book.job());
  forget_work(*shard_of(self).env, book.job());
  book.take(std::move(moved));
  book.flush(m.done);
  if (terminal(book.job().state))
    return keep(self, std::move(book));
  ++self->state.running; // What ran is lost, and ends: an actor does that as after a start.
  start_job(self, std::move(book));
}

} // namespace troupe::actors
