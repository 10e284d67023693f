#include "actors/shard_rest.hpp"

#include "actors/shard_admission.hpp"
#include "actors/shard_aside.hpp"
#include "core/decide_passivate.hpp"

#include <algorithm>
#include <caf/event_based_actor.hpp>

namespace troupe::actors {

namespace {

namespace msg = messages;

status start_again(shard_self self, job_id id) {
  auto loaded = load_whole(self, id);
  if (!loaded)
    return loaded.error();
  ++self->state.running;
  start_job(self, job_book{self->state.shard, std::move(*loaded)}, true);
  return {};
}

} // namespace

void job_rests(shard_self self, const msg::job_rests& m) {
  auto& st = self->state;
  auto found = st.live.find(m.job);
  if (found == st.live.end() || found->second.actor != self->current_sender())
    return;
  st.by_address.erase(found->second.actor.address());
  self->send(found->second.actor, msg::leave{});
  st.live.erase(found);
  --st.running;
  if (m.wake_at != core::shard_time{})
    st.resting.push({m.wake_at, m.job});
  admit(self);
}

void arm_wake(shard_self self) {
  auto& st = self->state;
  auto next = st.expiring.next();
  if (auto wakes = has_room(self) ? st.resting.next() : std::nullopt)
    next = next ? std::min(*next, *wakes) : *wakes;
  if (!next || st.closing || (!st.wakes_at.empty() && *st.wakes_at.begin() <= *next))
    return; // Nothing to do, or there is a look before: then this is asked again.
  st.wakes_at.insert(*next);
  auto left = std::clamp(*next - shard_of(self).log->now(), core::duration{1},
                         core::duration{limits::duration_max});
  self->delayed_send(self, left, msg::wake_jobs{*next});
}

void wake_due(shard_self self, const core::wake_heap::entry& due) {
  if (queue_again(self, due.id))
    return;
  auto started = start_again(self, due.id);
  if (started)
    take_back(self, due.id);
  else if (auto aside = set_aside(self, due.id, started.error(), true); !aside)
    fail_shard(self, aside.error());
}

void forget_wake(shard_self self, const core::job& x) {
  if (take_back(self, x.id))
    return;
  if (auto rest = core::rest_of(x); rest && rest->wake_at != core::shard_time{})
    self->state.resting.remove({rest->wake_at, x.id});
}

status wake(shard_self self, const core::job& x) {
  if (self->state.closing) // Nobody would end its actor.
    return error{ec::not_ready, "the runtime is closing"};
  if (auto started = start_again(self, x.id); !started)
    return started; // It still wakes by itself.
  forget_wake(self, x);
  return {};
}

} // namespace troupe::actors
