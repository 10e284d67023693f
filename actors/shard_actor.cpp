#include "actors/shard_actor.hpp"

#include "actors/faults.hpp"
#include "actors/shard_admission.hpp"
#include "actors/shard_recovery.hpp"
#include "actors/shard_requests.hpp"
#include "actors/shard_rest.hpp"
#include "actors/shard_retention.hpp"
#include "actors/shard_supervision.hpp"
#include "actors/shard_transaction.hpp"
#include "actors/shard_work.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace troupe::actors {

namespace {

namespace msg = messages;

constexpr auto clean_up_interval = std::chrono::seconds{10};

void release_outputs(shard_self self) {
  auto& shard = shard_of(self);
  shard.log->release();
  forget_durable(self);
  if (auto open = shard.log->state(); !open)
    for (auto& waiter : shard.waiting.take_all()) // No job of this shard ends any more.
      waiter(open.error());
}

void admit_jobs(shard_self self) {
  self->state.admits_more = false;
  go_on_slowed(self);
  admit(self);
}

void wake_jobs(shard_self self, const msg::wake_jobs& m) {
  self->state.wakes_at.erase(m.at);
  admit(self);
}

void close_shard(shard_self self, const msg::close_shard& m) {
  auto& st = self->state;
  st.closing = m.done;
  go_on_slowed(self);                   // Each is refused.
  std::erase_if(st.live, [&](auto& x) { // Those that wait to be restarted.
    return !st.by_address.contains(x.second.actor.address());
  });
  for (auto& [id, live] : st.live)
    self->send(live.actor, msg::end_in_order{});
}

/// Closed once no job has an actor and everything they recorded has left.
void close_if_done(shard_self self) {
  auto& st = self->state;
  if (!st.closing || !st.live.empty())
    return;
  shard_of(self).log->hold(shard_of(self).log->head(),
                           [done = std::exchange(st.closing, [] {})](auto&) { done(); });
}

void recover_jobs(shard_self self) {
  if (self->state.closing)
    return;
  if (auto recovered = recover_some(self); !recovered)
    fail_shard(self, recovered.error());
}

void retention_applied(shard_self self, const msg::retention_applied& m) {
  self->state.deletes = false;
  if (m.more)
    apply_retention(self);
}

void look_at_retention(shard_self self) {
  apply_retention(self);
  self->delayed_send(self, settings_of(self).retention_interval, msg::retention_due{});
}

void report_load(shard_self self, const msg::report_load& m) {
  auto& st = self->state;
  runtime_load x;
  x.mailboxes.push_back({st.name, self->mailbox().size()});
  x.limits.push_back({"running_jobs", st.running, settings_of(self).running_jobs_max});
  x.limits.push_back(
      {"pending_jobs", st.queue.size() + st.recovery.late.size(), limits::pending_jobs_max});
  m.done(x);
}

/// One line for each message.
caf::behavior serving(shard_self self) {
  return {
      [self](const msg::release_outputs&) { release_outputs(self); },
      [self](const msg::submit_job& m) { submit(self, m); },
      [self](const msg::write_rows& m) { write_rows(self, m); },
      [self](const msg::delete_jobs& m) { delete_jobs(self, m); },
      [self](const msg::job_over& m) { job_over(self, m); },
      [self](const msg::job_rests& m) {
        job_rests(self, m);
        close_if_done(self);
      },
      [self](const msg::admit_jobs&) { admit_jobs(self); },
      [self](const msg::wake_jobs& m) { wake_jobs(self, m); },
      [self](const msg::recover_jobs&) { recover_jobs(self); },
      [self](const msg::move_job& m) { move_job(self, m); },
      [self](const msg::add_message& m) { add_message(self, m); },
      [self](const msg::get_job& m) { get_job(self, m); },
      [self](const msg::await_end& m) { await_end(self, m); },
      [self](const msg::watch_job& m) { watch_job(self, m); },
      [self](const msg::finish_work& m) { finish_work(self, m); },
      [self](const msg::emit_work& m) { emit_work(self, m); },
      [self](const msg::find_lease& m) { find_lease(self, m); },
      [self](const msg::report_load& m) { report_load(self, m); },
      [self](const msg::release_job& m) { release_job(self, m); },
      [self](const msg::restart_job& m) {
        restart_job(self, m);
        close_if_done(self);
      },
      [self](const msg::apply_retention&) { apply_retention(self); },
      [self](const msg::retention_applied& m) { retention_applied(self, m); },
      [self](const msg::retention_due&) { look_at_retention(self); },
      [self](const msg::close_shard& m) {
        close_shard(self, m);
        close_if_done(self);
      },
      [self](const msg::clean_up&) {
        clean_up(self);
        self->delayed_send(self, clean_up_interval, msg::clean_up{});
      },
  };
}

/// Takes over what is unfinished, then serves. The view must hold all that was appended.
caf::behavior begin(shard_self self) {
  self->set_default_handler(caf::drop);
  auto recovered = recover(self);
  if (auto told = std::exchange(shard_of(self).recovered, {}))
    told(recovered);
  if (!recovered)
    fail_shard(self, recovered.error());
  self->delayed_send(self, clean_up_interval, msg::clean_up{});
  if (settings_of(self).retention)
    self->delayed_send(self, settings_of(self).retention_interval, msg::retention_due{});
  return serving(self);
}

} // namespace

shard_actor_state::~shard_actor_state() {
  for (auto& [id, job] : live)
    caf::anon_send_exit(job.actor, caf::exit_reason::kill);
}

caf::behavior shard_actor(caf::stateful_actor<shard_actor_state>* self,
                          std::shared_ptr<shard_context> shard) {
  auto& st = self->state;
  st.shard = std::move(shard);
  st.random = shard_of(self).env->make_random();
  report_faults(self, st.name, st.shard->env);
  self->set_down_handler([self](const caf::down_msg& m) {
    job_down(self, m);
    close_if_done(self);
  });
  shard_of(self).log->release();
  if (shard_of(self).log->settled())
    return begin(self);
  self->set_default_handler(caf::skip); // Everything else waits until all is durable.
  return {
      [self](const msg::release_outputs&) {
        shard_of(self).log->release();
        if (shard_of(self).log->settled())
          self->become(begin(self));
      },
  };
}

} // namespace troupe::actors
