#include "actors/shard_recovery.hpp"

#include "actors/shard_admission.hpp"
#include "actors/shard_aside.hpp"
#include "actors/shard_queue.hpp"
#include "core/decide_passivate.hpp"

#include <caf/event_based_actor.hpp>

namespace troupe::actors {

namespace {

namespace msg = messages;

using core::job_state;

/// Tells the observer of a job that an earlier node has left, once.
void tell_found(shard_self self, const storage::job_row& row) {
  auto& shard = shard_of(self);
  if (!shard.env->observer || row.id <= shard.found_upto || row.id >= shard.found_end)
    return;
  shard.found_upto = row.id;
  auto plan = shard.graph_source()(row.ns, row.spec.graph);
  shard.env->observer->job_found(
      {row.id, row.ns, row.spec.queue, plan ? plan->name : std::string{}}, row.state);
}

/// A job that had an actor gets one again, unless it is paused and rests.
status load_begun(shard_self self, job_id id) {
  auto loaded = load_whole(self, id);
  if (!loaded)
    return set_aside(self, id, loaded.error(), true);
  if (loaded->state == job_state::paused && core::rest_of(*loaded))
    return {};
  ++self->state.running;
  start_job(self, job_book{self->state.shard, std::move(*loaded)});
  return {};
}

status place_again(shard_self self, const storage::job_row& row) {
  auto& st = self->state;
  if (row.state == job_state::pending)
    enqueue(self, row.id, row.spec.expires_at);
  else if (row.wake_at != core::shard_time{})
    st.resting.push({row.wake_at, row.id});
  else if (row.state != job_state::paused || row.started != core::shard_time{})
    return load_begun(self, row.id);
  return {};
}

status take_over(shard_self self, const storage::job_row& row) {
  auto& st = self->state;
  shard_of(self).log->saw(std::max(row.created, row.started));
  st.recovery.last = row.id;
  tell_found(self, row);
  if (!settings_of(self).hold_recovered)
    return place_again(self, row);
  st.held.insert(row.id);
  return {};
}

/// Requests that waited until their jobs were reached have their turn.
void answer_early(shard_self self) {
  auto& early = self->state.recovery.early;
  while (!early.empty() && !not_reached(self, early.begin()->first)) {
    auto next = std::move(early.begin()->second);
    early.erase(early.begin());
    next();
  }
}

void finish(shard_self self) {
  auto& st = self->state;
  st.recovery.done = true;
  while (auto id = st.recovery.late.pop())
    st.queue.push(*id);
  shard_of(self).view->forget_pages(); // Every job that has not ended was looked at once.
}

} // namespace

bool not_reached(shard_self self, job_id id) {
  auto& x = self->state.recovery;
  return !x.done && id > x.last && id < x.end;
}

status place_again(shard_self self, job_id id) {
  auto row = shard_of(self).view->find(id);
  return row ? place_again(self, *row) : status{row.error()};
}

status recover(shard_self self) {
  auto& st = self->state;
  auto newest = shard_of(self).view->newest_id();
  if (!newest)
    return newest.error();
  shard_of(self).log->saw(shard_of(self).view->time());
  st.ids.saw(*newest);
  st.recovery.end = st.ids.rise();
  if (auto& end = shard_of(self).found_end; end == job_id{})
    end = st.recovery.end;
  return recover_some(self);
}

status recover_some(shard_self self) {
  auto& st = self->state;
  auto rows = shard_of(self).view->live(st.recovery.last, limits::recovery_step_jobs);
  if (!rows)
    return rows.error();
  auto ended = rows->size() < limits::recovery_step_jobs;
  auto most = st.running + limits::admissions_per_turn;
  for (auto& row : *rows) {
    ended = row.id >= st.recovery.end;
    if (ended || st.running >= most)
      break;
    if (auto taken = take_over(self, row); !taken)
      return taken;
    ended = &row == &rows->back() && rows->size() < limits::recovery_step_jobs;
  }
  if (ended)
    finish(self);
  else
    self->send(self, msg::recover_jobs{});
  answer_early(self);
  admit(self);
  return {};
}

} // namespace troupe::actors
