#include "actors/shard_queue.hpp"

#include "actors/shard_aside.hpp"
#include "actors/shard_rest.hpp"
#include "core/decide.hpp"
#include "core/time_text.hpp"

#include <caf/event_based_actor.hpp>

namespace troupe::actors {

namespace {

/// The book of a job without an actor.
result<job_book> book_of(shard_self self, job_id id,
                         result<core::job> (*load)(shard_self, job_id)) {
  auto fresh = self->state.fresh.extract(id);
  if (!fresh.empty())
    return std::move(fresh.mapped());
  auto loaded = load(self, id);
  if (!loaded)
    return loaded.error();
  return job_book{self->state.shard, std::move(*loaded)};
}

/// A pending job that is neither in the queue nor among those that expire. False: the shard has
/// failed.
bool miss_turn(shard_self self, job_id id, const error& why, bool has_expired) {
  auto aside = set_aside(self, id, why, false);
  if (!aside)
    return fail_shard(self, aside.error()), false;
  self->state.aside[id].has_expired |= has_expired;
  return true;
}

void forget_expiry(shard_self self, const core::job& x) {
  if (x.spec.expires_at != core::shard_time{})
    self->state.expiring.remove({x.spec.expires_at, x.id});
}

void expire(shard_self self, job_book book) {
  auto by = core::to_text(book.job().spec.expires_at);
  auto moved = core::decide_move(book.job(), core::job_request::expire, "it had not begun by " + by,
                                 book.now());
  assert(moved); // Only pending jobs can expire.
  book.take(std::move(*moved));
  book.flush();
  keep(self, std::move(book));
}

/// The hand-over of a pending job to an actor of its own.
void begin_job(shard_self self, job_book book) {
  auto started = core::decide_move(book.job(), core::job_request::start, "", book.now());
  assert(started); // Only pending jobs stand in the queue.
  book.take(std::move(*started));
  book.flush();
  ++self->state.running;
  start_job(self, std::move(book));
}

} // namespace

void enqueue(shard_self self, job_id id, core::shard_time expires_at) {
  queue_of(self, id).push(id);
  if (expires_at == core::shard_time{})
    return;
  self->state.expiring.push({expires_at, id});
  arm_wake(self);
}

void dequeue(shard_self self, const core::job& x) {
  auto aside = take_back(self, x.id);
  if (!aside || aside->retry_at == core::shard_time{})
    queue_of(self, x.id).remove(x.id);
  if (!aside || !aside->has_expired)
    forget_expiry(self, x);
}

bool begin_next(shard_self self) {
  auto id = self->state.queue.pop();
  if (!id)
    return false;
  auto book = book_of(self, *id, load_whole);
  if (!book)
    return miss_turn(self, *id, book.error(), false);
  auto aside = take_back(self, *id);
  if (aside && aside->has_expired)
    return expire(self, std::move(*book)), true;
  forget_expiry(self, book->job());
  begin_job(self, std::move(*book));
  return true;
}

bool expire_one(shard_self self) {
  auto& st = self->state;
  if (st.closing)
    return false; // It waits for the next start.
  auto due = st.expiring.pop(shard_of(self).log->now());
  if (!due)
    return false;
  auto aside = take_back(self, due->id);
  if (!aside || aside->retry_at == core::shard_time{})
    queue_of(self, due->id).remove(due->id);
  auto book = book_of(self, due->id, load_job);
  if (!book)
    return miss_turn(self, due->id, book.error(), true);
  expire(self, std::move(*book));
  return true;
}

} // namespace troupe::actors
