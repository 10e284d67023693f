#include "actors/shard_queue.hpp"

#include "actors/shard_rest.hpp"
#include "core/decide.hpp"
#include "core/time_text.hpp"

#include <caf/event_based_actor.hpp>

namespace troupe::actors {

namespace {

/// The book of a job without an actor.
std::optional<job_book> book_of(shard_self self, job_id id,
                                result<core::job> (*load)(shard_self, job_id)) {
  auto fresh = self->state.fresh.extract(id);
  if (!fresh.empty())
    return std::move(fresh.mapped());
  auto loaded = load(self, id);
  if (loaded)
    return job_book{self->state.shard, std::move(*loaded)};
  fail_shard(self, loaded.error());
  return {};
}

void forget_expiry(shard_self self, const core::job& x) {
  if (x.spec.expires_at != core::shard_time{})
    self->state.expiring.remove({x.spec.expires_at, x.id});
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
  queue_of(self, x.id).remove(x.id);
  forget_expiry(self, x);
}

std::optional<job_book> take_next(shard_self self) {
  auto id = self->state.queue.pop();
  if (!id)
    return {};
  auto book = book_of(self, *id, load_whole);
  if (book)
    forget_expiry(self, book->job());
  return book;
}

bool expire_one(shard_self self) {
  auto& st = self->state;
  if (st.closing)
    return false; // It waits for the next start.
  auto due = st.expiring.pop(shard_of(self).log->now());
  if (!due)
    return false;
  queue_of(self, due->id).remove(due->id);
  auto book = book_of(self, due->id, load_job);
  if (!book)
    return false;
  auto moved = core::decide_move(book->job(), core::job_request::expire,
                                 "it had not begun by " + core::to_text(due->at), book->now());
  assert(moved); // Only pending jobs can expire.
  book->take(std::move(*moved));
  book->flush();
  keep(self, std::move(*book));
  return true;
}

} // namespace troupe::actors
