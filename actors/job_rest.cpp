#include "actors/job_rest.hpp"

#include "core/decide_passivate.hpp"
#include "messages/work.hpp"

#include <caf/send.hpp>

namespace troupe::actors {

namespace {

namespace msg = messages;

/// Whether nothing is under way that only this actor knows of.
bool idle(job_self self) {
  auto& st = self->state;
  if (!st.pooled.empty() || !st.begun.empty() || !st.beginning.empty())
    return false;
  return job_of(self).state == job_state::paused || (st.ready.empty() && st.blocked.empty());
}

/// A cheap look before the whole job is looked at: whether a timer is due soon.
bool due_soon(job_self self) {
  auto& st = self->state;
  if (job_of(self).state != job_state::running)
    return false;
  return st.armed.empty()
         || st.armed.begin()->first - st.book->now() < core::rest_min(job_of(self));
}

/// What arrives from now on goes back to the shard, which wakes the job for it.
caf::behavior leaving(job_self self) {
  auto back = [self](auto& m) { caf::anon_send(self->state.shard->shard.get(), m); };
  return {
      [back](msg::move_job& m) { back(m); },
      [back](msg::add_message& m) { back(m); },
      [](const msg::message_durable& m) { m.done({}); }, // No worker has anything of it.
      [back](msg::get_job& m) { back(m); },
      [back](msg::watch_job& m) { back(m); },
      [back](msg::finish_work& m) { back(m); },
      [back](msg::emit_work& m) { back(m); },
      [back](msg::find_lease& m) { back(m); },
      [self](const msg::take_work& m) {
        self->send(self->state.shard->env->work_board, msg::work_refused{m.fetch});
      },
      [self](const msg::leave&) { self->quit(); },
      [self](const msg::end_in_order&) { self->quit(); },
  };
}

} // namespace

output rest_if_idle(job_self self, output out) {
  auto& st = self->state;
  if (std::exchange(st.woken, false) || !idle(self) || due_soon(self))
    return out;
  if (st.rested_at == st.book->taken())
    return out; // It has been recorded, and nothing since.
  auto decided = core::decide_passivate(job_of(self), st.book->now());
  if (decided.empty())
    return out;
  st.book->take(std::move(decided));
  st.rested_at = st.book->taken();
  return [to = caf::actor{self}, at = st.rested_at, out = std::move(out)](const status& outcome) {
    if (outcome)
      caf::anon_send(to, msg::rest_durable{at});
    if (out)
      out(outcome);
  };
}

void leave_if_at_rest(job_self self, const msg::rest_durable& m) {
  auto& st = self->state;
  if (m.at != st.book->taken())
    return;
  auto rest = core::rest_of(job_of(self));
  if (!rest)
    return;
  self->send(st.shard->shard.get(), msg::job_rests{job_of(self).id, rest->wake_at});
  self->become(leaving(self));
}

} // namespace troupe::actors
