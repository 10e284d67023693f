#include "actors/shard_work.hpp"

#include "actors/shard_recovery.hpp"

#include <caf/event_based_actor.hpp>

namespace troupe::actors {

namespace {

namespace msg = messages;

/// Hands `m` on to the job's actor, now or, by `again`, once recovery has reached the job. False if
/// it has none.
template <class Message>
bool handed_on(shard_self self, const Message& m, void (*again)(shard_self, const Message&)) {
  auto& st = self->state;
  auto live = st.live.find(m.job);
  if (live != st.live.end())
    self->send(live->second.actor, m);
  else if (not_reached(self, m.job))
    wait_until_reached(self, m, again);
  else
    return false;
  return true;
}

/// What is told of a job without an actor, once all that this tells is durable.
void answer(shard_self self, const msg::reply_status& done, status x) {
  shard_of(self).log->hold(shard_of(self).log->head(),
                           [done, x](const status& outcome) { done(outcome ? x : outcome); });
}

/// Why an attempt of a job without an actor cannot go on.
status over(shard_self self, job_id id, namespace_id ns) {
  auto row = shard_of(self).view->find(id);
  if (!row)
    return row.code() == ec::no_such_job ? core::no_such_job(id) : row.error();
  return row->ns == ns ? core::stale_attempt() : core::no_such_job(id);
}

/// Whether the view tells that just this was said before.
status recorded(shard_self self, const msg::finish_work& m) {
  if (auto why = over(self, m.job, m.ns); why.code() != ec::stale_token)
    return why;
  auto job = load_job(self, m.job);
  if (!job)
    return job.error();
  if (core::has_recorded(*job, m.proof, m.result))
    return {};
  shard_of(self).env->refused_stale();
  return core::stale_attempt();
}

} // namespace

void finish_work(shard_self self, const msg::finish_work& m) {
  if (!handed_on(self, m, finish_work))
    answer(self, m.done, recorded(self, m));
}

void emit_work(shard_self self, const msg::emit_work& m) {
  if (!handed_on(self, m, emit_work))
    answer(self, m.done, over(self, m.job, m.ns));
}

void find_lease(shard_self self, const msg::find_lease& m) {
  if (!handed_on(self, m, find_lease))
    answer(self, m.done, over(self, m.job, m.ns));
}

} // namespace troupe::actors
