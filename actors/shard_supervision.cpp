#include "actors/shard_supervision.hpp"

#include "actors/shard_admission.hpp"
#include "actors/shard_aside.hpp"
#include "core/decide.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace troupe::actors {

namespace {

namespace msg = messages;

void set_aside_begun(shard_self self, job_id id, const error& why) {
  if (auto aside = set_aside(self, id, why, true); !aside)
    fail_shard(self, aside.error());
}

/// The supervisor's last word on a job whose actor fails again and again: it has failed.
void escalate(shard_self self, job_id id) {
  auto& st = self->state;
  auto loaded = load_job(self, id);
  if (!loaded)
    return set_aside_begun(self, id, loaded.error());
  if (terminal(loaded->state))
    return;
  job_book book{st.shard, std::move(*loaded)};
  forget_work(*shard_of(self).env, book.job());
  for (auto v : core::resume(book.job()).lost) {
    if (auto lost = core::decide_lost(book.job(), v, false, book.now()))
      book.take(std::move(*lost));
    if (book.is_full())
      book.flush();
  }
  auto on = core::next(book.job().state, core::job_request::fail) ? core::job_request::fail
                                                                  : core::job_request::stop;
  if (auto moved = core::decide_move(book.job(), on, "its actor failed too often", book.now())) {
    for (auto& r : *moved)
      if (auto x = std::get_if<core::job_moved>(&r.body); x && x->to == core::job_state::failed)
        x->error = {"supervisor_escalation", "", "the job's actor failed too often; see the log"};
    book.take(std::move(*moved));
  }
  book.flush();
  keep(self, std::move(book));
}

/// Whether the oldest of the ended jobs may lose its actor: the view must know that it has ended.
bool may_go(shard_self self, const ended_job& x) {
  auto& st = self->state;
  auto enough =
      x.until <= self->clock().now() || st.ended.size() > settings_of(self).ended_jobs_live_max;
  return enough && x.at <= shard_of(self).log->durable();
}

} // namespace

void job_down(shard_self self, const caf::down_msg& m) {
  auto& st = self->state;
  auto address = st.by_address.find(m.source);
  if (address == st.by_address.end())
    return;
  auto id = address->second;
  st.by_address.erase(address);
  auto live = st.live.find(id);
  if (live == st.live.end())
    return;
  if (st.closing) {
    st.live.erase(live);
    return;
  }
  auto& env = *shard_of(self).env;
  auto since =
      std::chrono::duration_cast<std::chrono::milliseconds>(self->clock().now().time_since_epoch());
  auto verdict = live->second.restarts.failed(settings_of(self).job_restarts, since);
  ++(verdict.escalate ? env.counted.job_escalations : env.counted.job_restarts);
  env.happened(verdict.escalate ? occurrence::job_escalated : occurrence::job_restarted);
  auto then = [to = caf::actor{self}, id, verdict](const status& outcome) {
    if (outcome)
      caf::anon_send(to, msg::restart_job{id, verdict.escalate, verdict.delay});
  };
  shard_of(self).log->hold(shard_of(self).log->head(), then); // All it recorded is in the view.
}

void restart_job(shard_self self, const msg::restart_job& m) {
  auto& st = self->state;
  auto live = st.live.find(m.job);
  if (live == st.live.end())
    return;
  if (m.delay > core::duration{}) {
    self->delayed_send(self, m.delay, msg::restart_job{m.job, m.escalate, {}});
    return;
  }
  if (st.closing) { // It goes on at the next start.
    st.live.erase(live);
    return;
  }
  if (m.escalate) {
    st.running -= !live->second.over;
    st.live.erase(live);
    escalate(self, m.job);
    return admit(self);
  }
  auto loaded = load_whole(self, m.job);
  if (loaded)
    return start_job(self, job_book{st.shard, std::move(*loaded)});
  auto was_over = live->second.over;
  st.live.erase(live);
  if (was_over)
    return; // Nothing of it has to be done any more.
  --st.running;
  set_aside_begun(self, m.job, loaded.error());
  admit(self);
}

void job_over(shard_self self, const msg::job_over& m) {
  auto& st = self->state;
  auto found = st.live.find(m.job);
  if (found == st.live.end() || std::exchange(found->second.over, true))
    return;
  --st.running;
  if (++st.ended_since == limits::retention_after_jobs)
    self->send(self, msg::apply_retention{});
  st.ended.push_back(
      {self->clock().now() + settings_of(self).cleanup_grace, shard_of(self).log->head(), m.job});
  clean_up(self);
  admit(self);
}

void clean_up(shard_self self) {
  auto& ended = self->state.ended;
  while (!ended.empty() && may_go(self, ended.front())) {
    auto id = ended.front().id;
    ended.pop_front();
    drop_actor(self, id);
  }
}

void drop_actor(shard_self self, job_id id) {
  auto& st = self->state;
  auto found = st.live.find(id);
  if (found == st.live.end() || !found->second.over)
    return;
  st.by_address.erase(found->second.actor.address());
  self->send_exit(found->second.actor, caf::exit_reason::user_shutdown);
  st.live.erase(found);
}

} // namespace troupe::actors
